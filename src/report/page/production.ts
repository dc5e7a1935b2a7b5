import { errorTable } from '../../errors.ts';
import { byProbe, type Cause, causesOf, overTime, type Stretch, tallyOf, yieldOf } from '../production.ts';
import type { Report } from '../report.ts';
import type { Unit } from '../unit.ts';
import { count, counted, dateTime, percent } from '../words.ts';
import { html, type Html, said, timeOf } from './markup.ts';
import { plot, share } from './plot.ts';
import { table } from './table.ts';

/** Operators may give any number of reasons in their own words. */
const maximumCauses = 20;

export function production({ units }: Report): Html {
  const { each, stretches } = overTime(units);
  return html`<section id="production" aria-labelledby="production-title">
<h2 id="production-title">Production</h2>
${stretches.length === 0 ? html`<p>No unit has ended in this period.</p>` : plots(each, stretches)}
</section>
`;
}

function plots(each: string, stretches: readonly Stretch[]): Html {
  const bars = (kind: 'good' | 'void') =>
    stretches.map((stretch) => ({ start: stretch.start, value: stretch[kind] }));
  const says = (kind: 'good' | 'void') => description(bars(kind), each);
  return html`${plot({ id: 'plot-good', title: `Good units per ${each}`, description: says('good'), kind: 'good', bars: bars('good') })}
${plot({ id: 'plot-void', title: `Void units per ${each}, to a scale of their own`, description: says('void'), kind: 'void', bars: bars('void') })}
<p class="note">Times are UTC, by the clock of the station. A unit counts when it was known to be good or void.</p>
<details class="more"><summary>The figures of both plots</summary>
${table(
  `Units per ${each}`,
  [
    { name: `From, each ${each}`, cell: ({ start }: Stretch) => dateTime(start).slice(0, 16) },
    { name: 'Good', kind: 'number', cell: ({ good }) => count(good) },
    { name: 'Void', kind: 'number', cell: (stretch) => count(stretch.void) },
    { name: 'Yield', kind: 'number', cell: (stretch) => percent(yieldOf({ ...stretch, inDoubt: 0 })) },
  ],
  stretches.filter((stretch) => stretch.good + stretch.void > 0),
)}</details>
`;
}

function description(
  bars: readonly { readonly start: Date; readonly value: number }[],
  each: string,
): string {
  const [first] = bars;
  const best = bars.reduce(
    (most, bar) => (bar.value > most.value ? bar : most),
    first ?? { start: new Date(0), value: 0 },
  );
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  const most = total === 0 ? '' : `; the most, ${count(best.value)}, from ${dateTime(best.start)}`;
  return `${counted(bars.length, 'bar')}, one for each ${each}: ${counted(total, 'unit')} in all${most}.`;
}

export function faults({ units }: Report): Html {
  return html`<section id="faults" aria-labelledby="faults-title">
<h2 id="faults-title">Faults</h2>
${causeTable(units)}
${probeTable(units)}
<p class="note">A board that is refused before an id is spent on it leaves no entry in the log and is not counted.</p>
</section>
`;
}

function causeTable(units: readonly Unit[]): Html {
  const causes = causesOf(units);
  const { void: lost } = tallyOf(units);
  const rest = causes.slice(maximumCauses);
  const others = rest.reduce((sum, cause) => sum + cause.units, 0);
  return html`${table(
    'Void units by cause',
    [
      { name: 'Cause', cell: ({ reason }: Cause) => said(reason) },
      { name: 'Meaning', cell: ({ reason }) => meaningOf(reason) },
      { name: 'Units', kind: 'number', cell: (cause) => count(cause.units) },
      { name: 'Share', kind: 'number', cell: (cause) => share(cause.units / lost, 'void') },
      { name: 'First', cell: ({ first }) => timeOf(first) },
      { name: 'Last', cell: ({ last }) => timeOf(last) },
    ],
    causes.slice(0, maximumCauses),
  )}${rest.length === 0 ? '' : html`<p>${counted(rest.length, 'more cause')} of ${counted(others, 'unit')} in all.</p>`}`;
}

/** What an error code means; words that an operator has typed speak for themselves. */
function meaningOf(reason: string): string {
  if (reason === 'interrupted') return 'the station was cut off before a key left it';
  if (!Object.hasOwn(errorTable, reason)) return 'given by hand';
  return errorTable[reason as keyof typeof errorTable].what.replace(/\{\w+\}/g, '…');
}

function probeTable(units: readonly Unit[]): Html {
  type Row = ReturnType<typeof byProbe>[number];
  return table(
    'Units by probe',
    [
      { name: 'Probe', cell: ({ probe }: Row) => (probe === null ? 'none on record yet' : said(probe)) },
      { name: 'Good', kind: 'number', cell: ({ tally }) => count(tally.good) },
      { name: 'Void', kind: 'number', cell: ({ tally }) => count(tally.void) },
      { name: 'In doubt', kind: 'number', cell: ({ tally }) => count(tally.inDoubt) },
      { name: 'Yield', kind: 'number', cell: ({ tally }) => share(yieldOf(tally), 'good') },
    ],
    byProbe(units),
  );
}
