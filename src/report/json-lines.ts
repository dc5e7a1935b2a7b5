import { printableJson } from '../printable.ts';
import { causesOf, paceOf, tallyOf, yieldOf } from './production.ts';
import type { Audited, Report } from './report.ts';

/**
 * Everything, one record a line, each with a `type`: the report itself, the audit and its findings, the units, and the
 * entries of the log as they are, in their order: those of these units, and those of the station in this period.
 */
export async function* jsonLines(report: Report, { checked, findings }: Audited): AsyncGenerator<string> {
  const { station, chip, version, period, units, events, leases, log, madeAt } = report;
  const tally = tallyOf(units);
  const figures = { ...tally, yield: yieldOf(tally), causes: causesOf(units), pace: paceOf(units) };
  const head = { station, chip, madeAt: madeAt.toISOString(), version, period, leases, log };
  yield line({ type: 'report', ...head, ...figures });
  yield line({ type: 'audit', checked, findings: findings.length });
  for (const finding of findings) yield line({ type: 'finding', ...finding });
  const serials = await report.serials();
  for (const unit of units) {
    const serial = serials.get(unit.certificate ?? '') ?? null;
    yield line({ type: 'unit', ...unit, serial });
  }
  const ids = new Set<unknown>(units.map(({ id }) => id));
  const own = new Set<unknown>(events.map(({ n }) => n));
  for await (const leaf of report.leaves())
    if (ids.has(leaf['id']) || own.has(leaf['n'])) yield line({ type: 'entry', ...leaf });
}

function line(record: object): string {
  return `${printableJson(record)}\n`;
}
