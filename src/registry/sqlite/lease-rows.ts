import { type DeviceId, deviceIdFromNumber, deviceIdToNumber, type Lease } from '../../device.ts';
import { LinesideError } from '../../errors.ts';
import type { LeaseUse } from '../registry.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { Statements } from '../../sqlite/statements.ts';

interface LeaseRow {
  readonly place: number;
  readonly first: number;
  readonly last: number;
  readonly next: number;
}

/** @throws LinesideError `lease-overlaps` */
export async function insertLease(sql: Statements, lease: Lease): Promise<void> {
  const range = [deviceIdToNumber(lease.first), deviceIdToNumber(lease.last)];
  try {
    await sql.run('INSERT INTO lease (first, last, next) VALUES (?1, ?2, ?1)', ...range);
  } catch (error) {
    if (brokenRule(error) !== 'lease-overlaps') throw error;
    const overlapping = 'SELECT * FROM lease WHERE first <= ?2 AND last >= ?1 ORDER BY place';
    const [other] = await sql.all<LeaseRow>(overlapping, ...range);
    const facts = { lease: inHex(lease), other: other === undefined ? 'unknown' : inHex(toLease(other)) };
    throw new LinesideError('lease-overlaps', facts, { cause: error });
  }
}

/** In the order the leases were added. Counts the ids used, about 20 ms for a million. */
export const leaseUses = `SELECT first, last, closed_at,
  (SELECT count(*) FROM unit WHERE id BETWEEN lease.first AND lease.last) AS used
  FROM lease ORDER BY place`;

export function toLeaseUse(row: {
  readonly first: number;
  readonly last: number;
  readonly used: number;
  readonly closed_at: string | null;
}): LeaseUse {
  const closed = row.closed_at !== null;
  const left = closed ? 0 : row.last - row.first + 1 - row.used;
  return { lease: toLease(row), used: row.used, left, closed };
}

/** @returns those that were open until now */
export async function closeAllLeases(sql: Statements, at: string): Promise<Lease[]> {
  const open = await sql.all<LeaseRow>('SELECT * FROM lease WHERE closed_at IS NULL ORDER BY place');
  await sql.run('UPDATE lease SET closed_at = ? WHERE closed_at IS NULL', at);
  return open.map(toLease);
}

/**
 * Moves the lease on to the lowest id never used and gives that id; ids that were asked for by name are stepped
 * over.
 * @throws LinesideError `lease-exhausted`
 */
export async function takeNextId(sql: Statements): Promise<DeviceId> {
  const open = 'SELECT * FROM lease WHERE next <= last AND closed_at IS NULL ORDER BY place';
  for (const lease of await sql.all<LeaseRow>(open)) {
    const free = await lowestFree(sql, lease.next);
    await sql.run('UPDATE lease SET next = ?2 WHERE place = ?1', lease.place, Math.min(free, lease.last) + 1);
    if (free <= lease.last) return deviceIdFromNumber(free);
  }
  throw new LinesideError('lease-exhausted');
}

/** The lowest id from `from` on that has no unit. */
export async function lowestFree(sql: Statements, from: number): Promise<number> {
  const [row] = await sql.all<{ free: number }>(
    `SELECT CASE WHEN EXISTS (SELECT 1 FROM unit WHERE id = ?1) THEN (
       SELECT id + 1 FROM unit AS used WHERE id >= ?1
       AND NOT EXISTS (SELECT 1 FROM unit WHERE id = used.id + 1) ORDER BY id LIMIT 1
     ) ELSE ?1 END AS free`,
    from,
  );
  return row?.free ?? from;
}

function toLease(row: { readonly first: number; readonly last: number }): Lease {
  return { first: deviceIdFromNumber(row.first), last: deviceIdFromNumber(row.last) };
}

function inHex(lease: Lease): string {
  return `${lease.first}-${lease.last}`;
}
