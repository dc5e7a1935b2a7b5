import { createHash } from 'node:crypto';
import { deviceIdFromNumber, unitStates } from '../../device.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { unitLine } from '../../unit-line.ts';
import { unitFacts } from '../facts.ts';
import type { LogEvent } from '../log.ts';
import type { UnitRecord } from '../registry.ts';
import { lowestFree } from './lease-rows.ts';
import { selectUnit, toUnitRecord, type UnitRow } from './unit-rows.ts';

const pageSize = 500;

/** What the registry holds at this moment, for whoever has only the log. */
export async function sealOf(sql: Statements): Promise<LogEvent> {
  const counts = Object.fromEntries(unitStates.map((state) => [state, 0]));
  const digest = createHash('sha256');
  for await (const unit of units(sql)) {
    counts[unit.state] = (counts[unit.state] ?? 0) + 1;
    digest.update(unitLine(unitFacts(unit)));
  }
  return { ev: 'seal', ...counts, digest: digest.digest('hex'), next: await nextId(sql) };
}

async function* units(sql: Statements): AsyncIterable<UnitRecord> {
  const page = `${selectUnit} WHERE id > ? ORDER BY id LIMIT ${pageSize}`;
  let rows = await sql.all<UnitRow>(page, 0);
  for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
    yield* rows.map(toUnitRecord);
    rows = await sql.all<UnitRow>(page, last.id);
  }
}

/** The lowest id never used of the first lease that has one; null if none has. */
async function nextId(sql: Statements): Promise<string | null> {
  const open = 'SELECT next, last FROM lease WHERE closed_at IS NULL ORDER BY place';
  for (const { next, last } of await sql.all<{ next: number; last: number }>(open)) {
    const free = await lowestFree(sql, next);
    if (free <= last) return deviceIdFromNumber(free);
  }
  return null;
}
