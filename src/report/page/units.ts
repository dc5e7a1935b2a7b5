import type { Report } from '../report.ts';
import type { Outcome, Unit } from '../unit.ts';
import { briefly, count, counted } from '../words.ts';
import { sayings } from './evidence.ts';
import { html, type Html, said, timeOf } from './markup.ts';
import { table } from './table.ts';

/** So many units have their history on the page: what goes beyond is in the JSON Lines. */
const maximumHistories = 1000;

export function doubts({ units }: Report): Html {
  const open = units.filter(({ outcome }) => outcome === 'in doubt');
  return html`<section id="doubts" aria-labelledby="doubts-title">
<h2 id="doubts-title">Units in doubt</h2>
${open.length === 0 ? html`<p>None.</p>` : doubtTable(open)}
</section>
`;
}

function doubtTable(open: readonly Unit[]): Html {
  const shown = open.slice(0, maximumHistories);
  return html`<p>${counted(open.length, 'unit')} that the station stopped working on before they were good or void. The
board tells: if it carries this id and key it may go on, otherwise the unit is void and the board begins anew.</p>
${table(
  'Where they stand',
  [
    { name: 'Id', kind: 'code', cell: ({ id }: Unit) => html`<a href="#unit-${id}">${id}</a>` },
    { name: 'Stopped when', cell: ({ state }) => state },
    { name: 'Since, UTC', cell: ({ changedAt }) => timeOf(changedAt) },
    { name: 'Probe', cell: ({ probe }) => (probe === null ? 'none yet' : said(probe)) },
    { name: 'Chip', kind: 'code', cell: ({ uid }) => uid ?? 'none yet' },
  ],
  shown,
)}`;
}

/** One piece for each unit, so that a page of any size is written as it is made. */
export async function* histories(report: Report): AsyncGenerator<Html> {
  const { units } = report;
  const shown = choose(units);
  const serials = await report.serials();
  yield html`<section id="units" aria-labelledby="units-title">
<h2 id="units-title">Units</h2>
${howMany(units.length, shown.length)}
`;
  for (const [outcome, title] of groups) {
    const some = shown.filter((unit) => unit.outcome === outcome);
    if (some.length === 0) continue;
    yield html`<details class="group"${outcome === 'good' ? '' : html` open`}><summary><h3>${title}: ${count(some.length)}</h3></summary>
`;
    for (const unit of some)
      yield history(unit, serials.get(unit.certificate ?? ''), await report.leavesOf(unit));
    yield html`</details>
`;
  }
  yield html`</section>
`;
}

const groups: readonly (readonly [Outcome, string])[] = [
  ['in doubt', 'In doubt'],
  ['void', 'Void'],
  ['good', 'Good'],
];

function howMany(all: number, shown: number): Html {
  if (all === 0) return html`<p>No id was reserved in this period.</p>`;
  const rest = html`A unit in doubt or void comes before a good one, and a late one before an early one.
The history of every unit is in the export <code>report FILE.jsonl</code>.`;
  if (shown < all) return html`<p>The histories of ${count(shown)} of ${count(all)} units. ${rest}</p>`;
  return html`<p>The history of every unit, as its entries in the log tell it. Open a unit to read it.</p>`;
}

/** By what an auditor asks first: doubts, then faults, then the latest of the good ones; each group by its time. */
function choose(units: readonly Unit[]): Unit[] {
  const wanted = groups.flatMap(([outcome]) => units.filter((unit) => unit.outcome === outcome).toReversed());
  const chosen = new Set(wanted.slice(0, maximumHistories));
  return units.filter((unit) => chosen.has(unit));
}

function history(
  unit: Unit,
  serial: string | undefined,
  leaves: readonly { n: number; t: string; ev: string }[],
): Html {
  const { id, state, outcome, probe, reservedAt } = unit;
  return html`<details class="unit"><summary><code>${id}</code> <span class="state ${classOf[outcome]}">${state}</span> <span>${timeOf(reservedAt)}</span> <span class="probe">${probe === null ? '' : html`probe ${said(probe)}`}</span> <span>${ending(unit)}</span></summary>
${serial === undefined ? '' : html`<p>Certificate serial number <code>${serial}</code></p>`}
<ol id="unit-${id}">${leaves.map(
    (
      leaf,
    ) => html`<li><span class="key">entry ${count(leaf.n)}</span> ${timeOf(leaf.t)} <b>${leaf.ev.replace(/^unit\./, '')}</b> <span class="says">${sayings(leaf)}</span></li>
`,
  )}</ol>
</details>
`;
}

const classOf = { good: 'good', void: 'void', 'in doubt': 'doubt' } as const;

function ending({ outcome, reason, seconds }: Unit): Html | string {
  if (outcome === 'in doubt') return 'in doubt';
  return reason === null ? `good in ${briefly(seconds)}` : said(reason);
}
