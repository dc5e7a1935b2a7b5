import { type DeviceId, deviceIdFromNumber } from '../../device.ts';
import type { Connection } from '../../sqlite/connection.ts';
import { migrate } from '../../sqlite/migrate.ts';
import { openStatements } from '../../sqlite/statements.ts';
import type { Direction } from '../batch.ts';
import { registryStore } from './store.ts';
import type { UnitRow } from './unit-rows.ts';

/*
 * A registry as it lies in its file, for an audit: of what somebody may have changed by hand, nothing is believed, not
 * that a column holds what its rules say, nor that the rules are there. Nothing is written.
 */

/** A table, index or trigger. */
export interface SchemaObject {
  readonly name: string;
  readonly type: string;
  /** Null for an index that SQLite made for a constraint. */
  readonly sql: string | null;
}

export interface CertificateRow {
  readonly unit: number;
  readonly generation: number;
  readonly der: Buffer;
  readonly serial: string;
  readonly batch: number;
}

export interface LeaseRow {
  readonly first: number;
  readonly last: number;
  readonly next: number;
  readonly closed: string | null;
}

export interface BatchRow {
  readonly direction: Direction;
  readonly sequence: number;
  readonly manifest: Buffer;
  readonly sha256: string;
  readonly previous: string;
  readonly at: string;
  readonly written: string | null;
}

/** Columns of which no two rows may have the same value, and in which rows. */
const unique = {
  id: 'SELECT CAST(id AS TEXT) AS value, id FROM unit',
  chip: "SELECT CAST(uid AS TEXT) AS value, id FROM unit WHERE uid IS NOT NULL AND state <> 'void'",
  serial: 'SELECT CAST(serial AS TEXT) AS value, unit AS id FROM certificate',
} as const;
export type UniqueValue = keyof typeof unique;

const pageSize = 500;
const realId = 'BETWEEN 1 AND 4294967294';

export interface Evidence {
  schema(): Promise<SchemaObject[]>;
  /** What SQLite finds wrong, each in its words: pages, indexes that are not those of their table, broken constraints. */
  unsound(): Promise<string[]>;
  countUnits(): Promise<number>;
  has(id: string): Promise<boolean>;
  /** By id, with all certificates of theirs. */
  units(): AsyncIterable<{ readonly units: UnitRow[]; readonly certificates: CertificateRow[] }>;
  /** Rows that are of no device: an id that is none, or a certificate of a unit that is not there. */
  strays(): Promise<{ readonly units: number; readonly certificates: readonly string[] }>;
  /** Values that two or more have, and who. */
  shared(value: UniqueValue): Promise<{ readonly value: string; readonly ids: readonly DeviceId[] }[]>;
  unitOfKey(spkiSha256: string): Promise<DeviceId | undefined>;
  leases(): Promise<LeaseRow[]>;
  /** How many ids of a range have a unit, and the lowest that has none. */
  usedIn(first: number, last: number): Promise<{ readonly used: number; readonly gap: number | null }>;
  batches(): AsyncIterable<BatchRow[]>;
  filesOf(direction: Direction, sequence: number): Promise<ReadonlyMap<string, Buffer>>;
  /** The requests of an outgoing batch, in the order in which they went. */
  requestsOf(sequence: number): AsyncIterable<Buffer[]>;
  authorities(): Promise<{ readonly verifier: string; readonly trustedAt: string }[]>;
}

/** CAST, because a column holds what its rules say only as long as nobody takes the rules off. */
const unitColumns = `id, CAST(state AS TEXT) AS state, CAST(csr AS BLOB) AS csr, CAST(spki AS TEXT) AS spki,
  CAST(uid AS TEXT) AS uid, CAST(probe AS TEXT) AS probe, CAST(firmware AS TEXT) AS firmware,
  CAST(proof AS TEXT) AS proof, CAST(locked AS INTEGER) AS locked, CAST(batch AS INTEGER) AS batch,
  CAST(generation AS INTEGER) AS generation, CAST(reason AS TEXT) AS reason,
  CAST(reserved_at AS TEXT) AS reserved_at, CAST(changed_at AS TEXT) AS changed_at,
  (SELECT CAST(der AS BLOB) FROM certificate WHERE certificate.unit = unit.id
    ORDER BY certificate.generation DESC LIMIT 1) AS certificate`;

const certificateColumns = `CAST(unit AS INTEGER) AS unit, CAST(generation AS INTEGER) AS generation,
  CAST(der AS BLOB) AS der, CAST(serial AS TEXT) AS serial, CAST(batch AS INTEGER) AS batch`;

const batchColumns = `CAST(direction AS TEXT) AS direction, CAST(sequence AS INTEGER) AS sequence,
  CAST(manifest AS BLOB) AS manifest, CAST(sha256 AS TEXT) AS sha256, CAST(previous AS TEXT) AS previous,
  CAST(at AS TEXT) AS at, CAST(written_at AS TEXT) AS written`;

export function evidenceOf(connection: Connection): Evidence {
  const all: Connection['query'] = (sql, ...values) => connection.query(sql, ...values);
  return {
    schema: () => all<SchemaObject>(schemaObjects),
    unsound: async () => {
      const rows = await all<{ integrity_check: string }>('PRAGMA integrity_check(20)');
      const orphans = await all<{ problem: string }>(
        `SELECT count(*) || ' rows of ' || "table" || ' belong to nothing' AS problem
          FROM pragma_foreign_key_check GROUP BY "table"`,
      ).catch((error: Error) => [{ problem: error.message }]); // tables that cannot refer to each other
      return [
        ...rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok'),
        ...orphans.map(({ problem }) => problem),
      ];
    },
    countUnits: async () =>
      (await all<{ count: number }>('SELECT count(*) AS count FROM unit'))[0]?.count ?? 0,
    has: async (id) => (await all('SELECT 1 FROM unit WHERE id = ?', Number.parseInt(id, 16))).length > 0,
    async *units() {
      const page = `SELECT ${unitColumns} FROM unit WHERE id > ? AND id ${realId} ORDER BY id LIMIT ${pageSize}`;
      for (let last = 0; ; ) {
        const units = await all<UnitRow>(page, last);
        const [first, end] = [units.at(0), units.at(-1)];
        if (first === undefined || end === undefined) return;
        const theirs = `SELECT ${certificateColumns} FROM certificate WHERE unit BETWEEN ? AND ?
          ORDER BY unit, generation`;
        yield { units, certificates: await all<CertificateRow>(theirs, first.id, end.id) };
        last = end.id;
      }
    },
    strays: async () => {
      const odd = await all(`SELECT id FROM unit WHERE id NOT ${realId} LIMIT 20`);
      const rows = await all<{ serial: string }>(`SELECT CAST(serial AS TEXT) AS serial FROM certificate
        WHERE unit IS NULL OR unit NOT IN (SELECT id FROM unit) LIMIT 20`);
      return { units: odd.length, certificates: rows.map(({ serial }) => serial) };
    },
    shared: async (value) => {
      const rows = await all<{ value: string; ids: string }>(`SELECT value, json_group_array(id) AS ids
        FROM (${unique[value]}) WHERE id ${realId} GROUP BY value HAVING count(*) > 1 LIMIT 100`);
      return rows.map((row) => ({
        value: row.value,
        ids: JSON.parse(row.ids).map((id: number) => deviceIdFromNumber(id)),
      }));
    },
    unitOfKey: async (spkiSha256) => {
      const [row] = await all<{ id: number }>('SELECT id FROM unit WHERE spki = ?', spkiSha256);
      return row && deviceIdFromNumber(row.id);
    },
    leases: () =>
      all<LeaseRow>(`SELECT CAST(first AS INTEGER) AS first, CAST(last AS INTEGER) AS last,
        CAST(next AS INTEGER) AS next, CAST(closed_at AS TEXT) AS closed FROM lease ORDER BY place`),
    usedIn: async (first, last) => {
      const count = 'SELECT count(DISTINCT id) AS used FROM unit WHERE id BETWEEN ? AND ?';
      const used = (await all<{ used: number }>(count, first, last))[0]?.used ?? 0;
      const lowest = `SELECT min(id) AS gap FROM (SELECT ?1 AS id UNION ALL
        SELECT id + 1 FROM unit WHERE id BETWEEN ?1 AND ?2) AS after
        WHERE id <= ?2 AND NOT EXISTS (SELECT 1 FROM unit WHERE unit.id = after.id)`;
      const gap =
        used > last - first ? null : (await all<{ gap: number | null }>(lowest, first, last))[0]?.gap;
      return { used, gap: gap ?? null };
    },
    async *batches() {
      for (const direction of ['out', 'in'] as const) {
        const page = `SELECT ${batchColumns} FROM batch WHERE direction = ? AND sequence > ?
          ORDER BY sequence LIMIT 100`;
        let rows = await all<BatchRow>(page, direction, 0);
        for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
          yield rows;
          rows = await all<BatchRow>(page, direction, last.sequence);
        }
      }
    },
    filesOf: async (direction, sequence) => {
      const files = `SELECT CAST(name AS TEXT) AS name, CAST(bytes AS BLOB) AS bytes FROM batch_file
        WHERE direction = ? AND sequence = ? ORDER BY name`;
      const rows = await all<{ name: string; bytes: Buffer }>(files, direction, sequence);
      return new Map(rows.map(({ name, bytes }) => [name, bytes]));
    },
    async *requestsOf(sequence) {
      const page = `SELECT id, CAST(csr AS BLOB) AS csr FROM unit WHERE batch = ? AND id > ?
        ORDER BY id LIMIT ${pageSize}`;
      let rows = await all<{ id: number; csr: Buffer | null }>(page, sequence, 0);
      for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
        yield rows.map(({ csr }) => csr ?? Buffer.alloc(0));
        rows = await all(page, sequence, last.id);
      }
    },
    authorities: () =>
      all(`SELECT CAST(verifier AS TEXT) AS verifier, CAST(trusted_at AS TEXT) AS trustedAt FROM authority
        ORDER BY place`),
  };
}

const schemaObjects = 'SELECT name, type, sql FROM sqlite_schema ORDER BY type, name';

let made: Promise<SchemaObject[]> | undefined;

/** What the migrations make of an empty database, in memory. */
export function schemaAsMade(): Promise<readonly SchemaObject[]> {
  return (made ??= make());
}

async function make(): Promise<SchemaObject[]> {
  const sql = await openStatements(':memory:');
  try {
    await migrate(registryStore, sql.database);
    return await sql.all<SchemaObject>(schemaObjects);
  } finally {
    await sql.close();
  }
}
