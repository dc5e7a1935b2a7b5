import { deviceIdFromNumber, deviceIdToNumber, type Lease } from '../../device.ts';
import { LinesideError } from '../../errors.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { Statements } from '../../sqlite/statements.ts';

/** A station the CA takes requests from. */
export interface KnownStation {
  readonly name: string;
  /** `name+hash+key`. */
  readonly verifier: string;
}

export async function knownStations(sql: Statements): Promise<KnownStation[]> {
  return sql.all<KnownStation>('SELECT name, verifier FROM station ORDER BY name');
}

/** @throws LinesideError `station-unknown` */
export async function knownStation(sql: Statements, name: string): Promise<KnownStation> {
  const select = 'SELECT name, verifier FROM station WHERE name = ?';
  const [station] = await sql.all<KnownStation>(select, name);
  if (station) return station;
  throw new LinesideError('station-unknown', { station: name });
}

/** Again the same is nothing. @throws LinesideError `station-differs` */
export async function insertStation(
  sql: Statements,
  { name, verifier }: KnownStation,
  officer: string,
  at: Date,
): Promise<void> {
  const known = await knownStations(sql);
  if (known.some((station) => station.name === name && station.verifier === verifier)) return;
  const insert = 'INSERT INTO station (name, verifier, officer, trusted_at) VALUES (?, ?, ?, ?)';
  try {
    await sql.run(insert, name, verifier, officer, at.toISOString());
  } catch (error) {
    if (brokenRule(error) !== 'station-differs') throw error;
    throw new LinesideError('station-differs', { station: name }, { cause: error });
  }
}

interface LeaseRow {
  readonly station: string;
  readonly first: number;
  readonly last: number;
}

/** In the order they were granted. */
export async function leasesOf(sql: Statements, station: string): Promise<Lease[]> {
  const select = 'SELECT station, first, last FROM lease WHERE station = ? ORDER BY place';
  return (await sql.all<LeaseRow>(select, station)).map(toLease);
}

/** Again the same is nothing. @throws LinesideError `lease-taken` */
export async function insertLease(
  sql: Statements,
  station: string,
  lease: Lease,
  officer: string,
  at: Date,
): Promise<void> {
  const granted = await leasesOf(sql, station);
  if (granted.some(({ first, last }) => first === lease.first && last === lease.last)) return;
  const range = [deviceIdToNumber(lease.first), deviceIdToNumber(lease.last)];
  const insert = 'INSERT INTO lease (station, first, last, officer, granted_at) VALUES (?, ?, ?, ?, ?)';
  try {
    await sql.run(insert, station, ...range, officer, at.toISOString());
  } catch (error) {
    if (brokenRule(error) !== 'lease-overlaps') throw error;
    throw await taken(sql, lease, range, error);
  }
}

async function taken(sql: Statements, lease: Lease, range: readonly number[], cause: unknown) {
  const overlapping = 'SELECT station, first, last FROM lease WHERE first <= ?2 AND last >= ?1 LIMIT 1';
  const [other] = await sql.all<LeaseRow>(overlapping, ...range);
  const { first, last } = other ? toLease(other) : lease;
  const facts = { station: other?.station ?? 'unknown', other: `${first}-${last}` };
  return new LinesideError('lease-taken', { lease: `${lease.first}-${lease.last}`, ...facts }, { cause });
}

function toLease({ first, last }: LeaseRow): Lease {
  return { first: deviceIdFromNumber(first), last: deviceIdFromNumber(last) };
}
