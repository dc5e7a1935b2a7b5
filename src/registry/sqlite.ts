import { createHash } from 'node:crypto';
import { type DeviceId, deviceIdToNumber, type Lease, type UnitState } from '../device.ts';
import { leaseAccepted, unitAdvanced, unitReserved } from './event.ts';
import type { EncodeLeaf, LeaseUse, LogEvent, Registry, Step, UnitRecord } from './registry.ts';
import type { Connection } from '../sqlite/connection.ts';
import { insertLease, leaseUses, takeNextId, toLeaseUse } from './sqlite/lease-rows.ts';
import { createConnection, openConnection } from '../sqlite/open.ts';
import type { Statements } from '../sqlite/statements.ts';
import { registryStore } from './sqlite/store.ts';
import { insertUnit, liveUnitByUid, toUnitRecord, type UnitRow, updateUnit } from './sqlite/unit-rows.ts';

/**
 * Makes an empty registry and opens it. The file has mode 0600; a failure leaves none behind.
 * @throws LinesideError `station-exists`, `directory-unwritable`, and as `openRegistry`
 */
export async function createRegistry(
  path: string,
  encodeLeaf: EncodeLeaf,
  clock: () => Date,
): Promise<Registry> {
  return new SqliteRegistry(await createConnection(registryStore, path), encodeLeaf, clock);
}

/**
 * Opens a registry and holds it alone until `close` or the end of the process. While it is open this process must
 * not open the file by other means: closing that would drop the lock (fcntl(2)).
 * @throws LinesideError `registry-missing`, `registry-busy` (within a second), `registry-damaged`,
 * `registry-newer`, `registry-unsafe`, `registry-full`, `registry-io`, `directory-unwritable`
 */
export async function openRegistry(
  path: string,
  encodeLeaf: EncodeLeaf,
  clock: () => Date,
): Promise<Registry> {
  return new SqliteRegistry(await openConnection(registryStore, path), encodeLeaf, clock);
}

const pageSize = 500;

class SqliteRegistry implements Registry {
  readonly #connection: Connection;
  readonly #encodeLeaf: EncodeLeaf;
  readonly #clock: () => Date;

  constructor(connection: Connection, encodeLeaf: EncodeLeaf, clock: () => Date) {
    this.#connection = connection;
    this.#encodeLeaf = encodeLeaf;
    this.#clock = clock;
  }

  async addLease(lease: Lease): Promise<void> {
    await this.#logged(async (sql) => {
      await insertLease(sql, lease);
      return leaseAccepted(lease);
    });
  }

  async leases(): Promise<LeaseUse[]> {
    const rows = await this.#connection.query<Parameters<typeof toLeaseUse>[0]>(leaseUses);
    return rows.map(toLeaseUse);
  }

  async reserveNext(): Promise<DeviceId> {
    const { id } = await this.#logged(async (sql, at) => {
      const next = await takeNextId(sql);
      await insertUnit(sql, next, at);
      return unitReserved(next);
    });
    return id;
  }

  async reserve(id: DeviceId): Promise<void> {
    await this.#logged(async (sql, at) => {
      await insertUnit(sql, id, at);
      return unitReserved(id);
    });
  }

  async advance(id: DeviceId, step: Step): Promise<void> {
    await this.#logged(async (sql, at) => unitAdvanced(id, await updateUnit(sql, id, step, at), step));
  }

  async find(id: DeviceId): Promise<UnitRecord | undefined> {
    return this.#findUnit('SELECT * FROM unit WHERE id = ?', deviceIdToNumber(id));
  }

  async findByUid(uid: string): Promise<UnitRecord | undefined> {
    return this.#findUnit(liveUnitByUid, uid);
  }

  async *units(filter: { readonly states?: readonly UnitState[] }): AsyncIterable<UnitRecord> {
    const states = filter.states === undefined ? null : JSON.stringify(filter.states);
    const page = `SELECT * FROM unit WHERE id > ?1 AND (?2 IS NULL OR state IN (SELECT value FROM json_each(?2)))
      ORDER BY id LIMIT ${pageSize}`;
    let rows = await this.#connection.query<UnitRow>(page, 0, states);
    for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
      yield* rows.map(toUnitRecord);
      rows = await this.#connection.query<UnitRow>(page, last.id, states);
    }
  }

  async record(event: LogEvent): Promise<void> {
    await this.#logged(async () => event);
  }

  async *leaves(): AsyncIterable<Uint8Array> {
    const page = `SELECT n, leaf FROM log WHERE n > ? ORDER BY n LIMIT ${pageSize}`;
    let rows = await this.#connection.query<LeafRow>(page, -1);
    for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
      yield* rows.map(({ leaf }) => new Uint8Array(leaf));
      rows = await this.#connection.query<LeafRow>(page, last.n);
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** One change and its leaf, in one transaction: if power fails here, both are there afterwards, or neither. */
  #logged<Event extends LogEvent>(change: (sql: Statements, at: string) => Promise<Event>): Promise<Event> {
    return this.#connection.transaction(async (sql) => {
      const at = this.#clock().toISOString();
      const event = await change(sql, at);
      const [tip] = await sql.all<LeafRow>('SELECT n, leaf FROM log ORDER BY n DESC LIMIT 1');
      const previous = tip === undefined ? null : createHash('sha256').update(tip.leaf).digest();
      const n = tip === undefined ? 0 : tip.n + 1;
      await sql.run(
        'INSERT INTO log (n, leaf) VALUES (?, ?)',
        n,
        this.#encodeLeaf({ ...event, t: at }, n, previous),
      );
      return event;
    });
  }

  async #findUnit(select: string, key: string | number): Promise<UnitRecord | undefined> {
    const [row] = await this.#connection.query<UnitRow>(select, key);
    return row === undefined ? undefined : toUnitRecord(row);
  }
}

interface LeafRow {
  readonly n: number;
  readonly leaf: Buffer;
}
