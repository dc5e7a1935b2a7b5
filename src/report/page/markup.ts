import { printable } from '../../printable.ts';
import { dateTime } from '../words.ts';

const source = Symbol('markup');

/** Markup, which only `html` can make: so nothing that was not meant to be markup is ever taken for it. */
export interface Html {
  readonly [source]: string;
}

type Part = Html | string | number | readonly Part[];

/** Markup with text in its places: text is escaped wherever it stands, in elements and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { [source]: strings.map((string, at) => string + markupOf(parts[at] ?? '')).join('') };
}

/** What an author has typed into this project and may be put into a page as it is: the style sheet. */
export function trusted(markup: string): Html {
  return { [source]: markup };
}

export function markupOf(part: Part): string {
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(part);
  return source in part ? part[source] : part.map(markupOf).join('');
}

/** What people have typed, kept apart from the direction that the text around it is written in. */
export function said(words: string): Html {
  return html`<bdi>${words}</bdi>`;
}

/** To the second, UTC; the page says so once. */
export function timeOf(time: Date | string): Html {
  return html`<time datetime="${typeof time === 'string' ? time : time.toISOString()}">${dateTime(time)}</time>`;
}

export function codeOf(text: string): Html {
  return html`<code>${text}</code>`;
}

function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
