import type { Severity } from '../../audit/finding.ts';
import { concernsOf } from '../attention.ts';
import { paceOf, tallyOf, yieldOf } from '../production.ts';
import type { Audited, Report } from '../report.ts';
import { briefly, count, percent } from '../words.ts';
import { html, type Html } from './markup.ts';

/** How bad something is, in a word and a mark. */
export function severityMark(severity: Severity): Html {
  const words = { tamper: 'Tampering', violation: 'Rule broken', doubt: 'Doubt', notice: 'Note' } as const;
  return html`<strong class="mark ${severity}">${words[severity]}</strong>`;
}

export function summary(report: Report, audited: Audited): Html {
  return html`<section id="summary" aria-labelledby="summary-title">
<h2 id="summary-title">Summary</h2>
${figures(report)}
<h3>What to look at</h3>
${concerns(report, audited)}
</section>
`;
}

function figures({ units }: Report): Html {
  const tally = tallyOf(units);
  const { perHour, bestHour, hours, median, slow } = paceOf(units);
  const tiles: readonly (readonly [name: string, value: string, note: string])[] = [
    ['Yield', percent(yieldOf(tally)), 'good of all that are good or void'],
    ['Good', count(tally.good), `of ${count(units.length)} begun`],
    ['Void', count(tally.void), 'id and key never used again'],
    ['In doubt', count(tally.inDoubt), 'only the board can tell'],
    [
      'Good per hour',
      perHour === null ? '–' : perHour.toFixed(1),
      `over ${count(hours)} h with work; best hour ${count(bestHour)}`,
    ],
    ['Time for one', briefly(median), `half take no longer; 19 of 20 within ${briefly(slow)}`],
  ];
  return html`<dl class="tiles">
${tiles.map(
  ([name, value, note]) => html`<div><dt>${name}</dt><dd><b>${value}</b> <span>${note}</span></dd></div>
`,
)}</dl>
`;
}

function concerns(report: Report, audited: Audited): Html {
  const all = concernsOf(report, audited);
  if (all.length === 0) return html`<p>Nothing.</p>`;
  return html`<ul class="concerns">
${all.map(
  ({ severity, words, section }) => html`<li>${severityMark(severity)} <a href="#${section}">${words}</a></li>
`,
)}</ul>
`;
}
