import { printableJson } from '../printable.ts';
import { causesOf, paceOf, tallyOf, yieldOf } from './production.ts';
import type { Audited, Report } from './report.ts';

/**
 * Everything, one record a line, each with a `type`: the report itself, the events of the station, the
 * audit and its findings, the units with their leaves.
 */
export async function* jsonLines(report: Report, { checked, findings }: Audited): AsyncGenerator<string> {
  const { units, events, leavesOf, serialOf, madeAt, ...rest } = report;
  const tally = tallyOf(units);
  const figures = { ...tally, yield: yieldOf(tally), causes: causesOf(units), pace: paceOf(units) };
  yield line({ type: 'report', madeAt: madeAt.toISOString(), ...rest, ...figures });
  for (const event of events) yield line({ type: 'event', ...event });
  yield line({ type: 'audit', checked, findings: findings.length });
  for (const finding of findings) yield line({ type: 'finding', ...finding });
  for (const unit of units) {
    const [leaves, serial] = [await leavesOf(unit), await serialOf(unit)];
    yield line({ type: 'unit', ...unit, serial, leaves });
  }
}

function line(record: object): string {
  return `${printableJson(record)}\n`;
}
