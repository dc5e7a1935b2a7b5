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
export const leaseUses = `SELECT first, last,
  (SELECT count(*) FROM unit WHERE id BETWEEN lease.first AND lease.last) AS used
  FROM lease ORDER BY place`;

export function toLeaseUse(row: {
  readonly first: number;
  readonly last: number;
  readonly used: number;
}): LeaseUse {
  return { lease: toLease(row), used: row.used, left: row.last - row.first + 1 - row.used };
}

/**
 * Moves the lease on to the lowest id never used and gives that id; ids that were asked for by name are stepped
 * over.
 * @throws LinesideError `lease-exhausted`
 */
export async function takeNextId(sql: Statements): Promise<DeviceId> {
  for (const lease of await sql.all<LeaseRow>('SELECT * FROM lease WHERE next <= last ORDER BY place')) {
    const free = await lowestFree(sql, lease.next);
    await sql.run('UPDATE lease SET next = ?2 WHERE place = ?1', lease.place, Math.min(free, lease.last) + 1);
    if (free <= lease.last) return deviceIdFromNumber(free);
  }
  throw new LinesideError('lease-exhausted');
}

async function lowestFree(sql: Statements, from: number): Promise<number> {
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
