import { count, dateTime, percent } from '../words.ts';
import { html, type Html } from './markup.ts';

/** A bar for each stretch of time. */
export interface Plot {
  readonly id: string;
  readonly title: string;
  /** For who cannot see it: what the bars say. */
  readonly description: string;
  /** Names the colour of its bars in the style sheet. */
  readonly kind: 'good' | 'void';
  readonly bars: readonly { readonly start: Date; readonly value: number }[];
}

/**
 * All places are percentages, so a plot fills any width and its words, which are not part of the drawing, keep their
 * size. The same figures are in a table beside it.
 */
export function plot({ id, title, description, kind, bars }: Plot): Html {
  const top = roundAbove(Math.max(1, ...bars.map(({ value }) => value)));
  const width = 100 / bars.length;
  return html`<figure class="plot">
<figcaption id="${id}">${title}</figcaption>
<div class="scale" aria-hidden="true"><span>${count(top)}</span><span>${count(top / 2)}</span><span>0</span></div>
<svg role="img" aria-labelledby="${id}" aria-describedby="${id}-says" class="${kind}" width="100%" height="100%">
<desc id="${id}-says">${description}</desc>
${[0, 50, 100].map((y) => html`<line x1="0" x2="100%" y1="${y}%" y2="${y}%"/>`)}
${bars.map(({ start, value }, at) => bar(start, value, { x: at * width, width, height: (value / top) * 100 }))}
</svg>
<div class="ends" aria-hidden="true">${ends(bars).map((start) => html`<span>${dateTime(start).slice(0, 16)}</span>`)}</div>
</figure>
`;
}

interface Box {
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

function bar(start: Date, value: number, { x, width, height }: Box): Html | string {
  if (value === 0) return '';
  const gap = width / 10;
  const box = {
    x: short(x + gap),
    y: short(100 - height),
    width: short(width - 2 * gap),
    height: short(height),
  };
  return html`<rect x="${box.x}%" y="${box.y}%" width="${box.width}%" height="${box.height}%"><title>${dateTime(start)}: ${count(value)}</title></rect>
`;
}

function ends(bars: Plot['bars']): Date[] {
  const [first, last] = [bars[0], bars.at(-1)];
  return first && last ? [first.start, ...(last === first ? [] : [last.start])] : [];
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The next of 2, 4, 10, 20, 40, 100 and so on: half of each is whole. */
function roundAbove(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 10, 20].map((step) => step * magnitude).find((top) => top >= value && top >= 2) ?? value;
}

/** A share of a whole in figures, and as a line. */
export function share(value: number | null, kind: 'good' | 'void'): Html {
  return html`${percent(value)}<svg class="share ${kind}" aria-hidden="true" width="100%" height="6"><rect width="100%" height="100%" class="whole"/><rect width="${short((value ?? 0) * 100)}%" height="100%"/></svg>`;
}
