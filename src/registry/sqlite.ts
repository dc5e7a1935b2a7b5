import { createHash } from 'node:crypto';
import { type DeviceId, deviceIdToNumber, type Lease, type UnitState } from '../device.ts';
import type {
  BatchFiles,
  BatchRecord,
  Credentials,
  Direction,
  LogPosition,
  NewBatch,
  NewCertificate,
} from './batch.ts';
import {
  authorityTrusted,
  batchWritten,
  epochOpened,
  leaseAccepted,
  leaseClosed,
  unitAdvanced,
  unitReserved,
} from './event.ts';
import type { LogEvent, LogWriter, NewEpoch } from './log.ts';
import type { LeaseUse, Registry, Step, UnitRecord } from './registry.ts';
import {
  batchOf,
  type BatchRow,
  credentialRows,
  filesOf,
  insertAuthority,
  lastBatch,
  markWritten,
  toBatchRecord,
  toCredentials,
  toFiles,
  trustedAuthority,
} from './sqlite/batch-rows.ts';
import { takeIn, takeOut } from './sqlite/batches.ts';
import type { Connection } from '../sqlite/connection.ts';
import { type Evidence, evidenceOf } from './sqlite/evidence.ts';
import { closeAllLeases, insertLease, leaseUses, takeNextId, toLeaseUse } from './sqlite/lease-rows.ts';
import { appendLeaves, leafPages, type LeafRow, nodeHashes, tipOfLog } from './sqlite/log-rows.ts';
import { unitOfLeaf } from './sqlite/migrations/0003-tree.ts';
import { sealOf } from './sqlite/seal-rows.ts';
import { createConnection, mustBeWhole, openConnection, openForAudit } from '../sqlite/open.ts';
import type { Statements } from '../sqlite/statements.ts';
import { registryStore } from './sqlite/store.ts';
import {
  insertUnit,
  liveUnitByUid,
  selectUnit,
  toUnitRecord,
  type UnitRow,
  updateUnit,
} from './sqlite/unit-rows.ts';

/**
 * Makes an empty registry and opens it. The file has mode 0600; a failure leaves none behind.
 * @throws LinesideError `station-exists`, `directory-unwritable`, and as `openRegistry`
 */
export async function createRegistry(path: string, writer: LogWriter, clock: () => Date): Promise<Registry> {
  return new SqliteRegistry(await createConnection(registryStore, path), writer, clock);
}

/**
 * Opens a registry and holds it alone until `close` or the end of the process. While it is open this process must
 * not open the file by other means: closing that would drop the lock (fcntl(2)).
 * @throws LinesideError `registry-missing`, `registry-busy` (within a second), `registry-damaged`,
 * `registry-newer`, `registry-unsafe`, `registry-full`, `registry-io`, `directory-unwritable`
 */
export async function openRegistry(path: string, writer: LogWriter, clock: () => Date): Promise<Registry> {
  return new SqliteRegistry(await openConnection(registryStore, path), writer, clock);
}

/**
 * Opens a registry that may have been tampered with, and what an audit asks of it beside.
 * @throws LinesideError as `openRegistry`
 */
export async function openRegistryForAudit(
  path: string,
  writer: LogWriter,
  clock: () => Date,
): Promise<{ readonly registry: Registry; readonly evidence: Evidence }> {
  const connection = await openForAudit(registryStore, path);
  return { registry: new SqliteRegistry(connection, writer, clock), evidence: evidenceOf(connection) };
}

const pageSize = 500;

/** Reads all of a copy of a registry. @throws LinesideError `backup-damaged` */
export function checkBackup(path: string): Promise<void> {
  return mustBeWhole(registryStore, path);
}

class SqliteRegistry implements Registry {
  readonly #connection: Connection;
  readonly #writer: LogWriter;
  readonly #clock: () => Date;

  constructor(connection: Connection, writer: LogWriter, clock: () => Date) {
    this.#connection = connection;
    this.#writer = writer;
    this.#clock = clock;
  }

  async addLease(lease: Lease): Promise<void> {
    await this.#logged(async (sql) => {
      await insertLease(sql, lease);
      return [leaseAccepted(lease)];
    });
  }

  async leases(): Promise<LeaseUse[]> {
    const rows = await this.#connection.query<Parameters<typeof toLeaseUse>[0]>(leaseUses);
    return rows.map(toLeaseUse);
  }

  async reserveNext(): Promise<DeviceId> {
    const { events } = await this.#logged(async (sql, at) => {
      const next = await takeNextId(sql);
      await insertUnit(sql, next, at);
      return [unitReserved(next)] as const;
    });
    return events[0].id;
  }

  async reserve(id: DeviceId): Promise<void> {
    await this.#logged(async (sql, at) => {
      await insertUnit(sql, id, at);
      return [unitReserved(id)];
    });
  }

  async advance(id: DeviceId, step: Step): Promise<void> {
    await this.#logged(async (sql, at) => [unitAdvanced(id, await updateUnit(sql, id, step, at), step)]);
  }

  async find(id: DeviceId): Promise<UnitRecord | undefined> {
    return this.#findUnit(`${selectUnit} WHERE id = ?`, deviceIdToNumber(id));
  }

  async findByUid(uid: string): Promise<UnitRecord | undefined> {
    return this.#findUnit(liveUnitByUid, uid);
  }

  async *units(filter: {
    readonly states?: readonly UnitState[];
    readonly batch?: number;
  }): AsyncIterable<UnitRecord> {
    const states = filter.states === undefined ? null : JSON.stringify(filter.states);
    const batch = filter.batch ?? null;
    const page = `${selectUnit} WHERE id > ?1 AND (?2 IS NULL OR state IN (SELECT value FROM json_each(?2)))
      AND (?3 IS NULL OR batch = ?3) ORDER BY id LIMIT ${pageSize}`;
    let rows = await this.#connection.query<UnitRow>(page, 0, states, batch);
    for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
      yield* rows.map(toUnitRecord);
      rows = await this.#connection.query<UnitRow>(page, last.id, states, batch);
    }
  }

  async authority(): Promise<string | undefined> {
    const [row] = await this.#connection.query<{ verifier: string }>(trustedAuthority);
    return row?.verifier;
  }

  async trust(verifier: string, sha256: string, as: 'first' | 'successor'): Promise<void> {
    if ((await this.authority()) === verifier) return;
    await this.#logged(async (sql, at) => {
      await insertAuthority(sql, verifier, as, at);
      return [authorityTrusted(sha256)];
    });
  }

  async lastBatch(direction: Direction): Promise<BatchRecord | undefined> {
    const [row] = await this.#connection.query<BatchRow>(lastBatch, direction);
    return row && toBatchRecord(row);
  }

  async findBatch(direction: Direction, sequence: number): Promise<BatchRecord | undefined> {
    const [row] = await this.#connection.query<BatchRow>(batchOf, direction, sequence);
    return row && toBatchRecord(row);
  }

  async exportBatch(batch: NewBatch, units: readonly DeviceId[], files: BatchFiles): Promise<void> {
    await this.#logged((sql, at) => takeOut(sql, batch, units, files, at));
  }

  async batchFiles(direction: Direction, sequence: number): Promise<BatchFiles> {
    return toFiles(await this.#connection.query(filesOf, direction, sequence));
  }

  async batchWritten(sequence: number): Promise<void> {
    await this.#logged(async (sql, at) => {
      await markWritten(sql, sequence, at);
      return [batchWritten(sequence)];
    });
  }

  async importBatch(
    batch: NewBatch,
    certificates: readonly NewCertificate[],
    files: BatchFiles,
  ): Promise<readonly DeviceId[]> {
    const taken = await this.#logged((sql, at) => takeIn(sql, batch, certificates, files, at));
    return taken.events.flatMap(({ id }) => id ?? []);
  }

  async credentials(id: DeviceId): Promise<Credentials | undefined> {
    type Rows = Parameters<typeof toCredentials>[0];
    return toCredentials(await this.#connection.query<Rows[number]>(credentialRows, deviceIdToNumber(id)));
  }

  async record(event: LogEvent): Promise<void> {
    await this.#logged(async () => [event]);
  }

  async seal(): Promise<number> {
    const { size } = await this.#logged(async (sql) => [await sealOf(sql)]);
    return size;
  }

  async epoch(): Promise<number | undefined> {
    const last = 'SELECT number FROM epoch ORDER BY number DESC LIMIT 1';
    return (await this.#connection.query<{ number: number }>(last))[0]?.number;
  }

  async openEpoch(epoch: NewEpoch): Promise<void> {
    await this.#logged(async (sql, at) => {
      await sql.run('INSERT INTO epoch (number, opened_at) VALUES (?, ?)', epoch.epoch, at);
      return [epochOpened(epoch)];
    });
  }

  async closeLeases(): Promise<void> {
    await this.#logged(async (sql, at) => (await closeAllLeases(sql, at)).map(leaseClosed));
  }

  async *leaves(): AsyncIterable<Uint8Array> {
    for await (const page of this.leafPages(0)) for (const { leaf } of page) yield new Uint8Array(leaf);
  }

  leafPages(from: number): AsyncIterable<readonly LeafRow[]> {
    return leafPages((sql, ...values) => this.#connection.query(sql, ...values), from);
  }

  async logPosition(): Promise<LogPosition> {
    const [tip] = await this.#connection.query<LeafRow>(tipOfLog);
    if (tip === undefined) return { size: 0, head: '0'.repeat(64) };
    return { size: tip.n + 1, head: sha256(tip.leaf).toString('hex') };
  }

  async nodes(level: number, from: number, to: number): Promise<Buffer[]> {
    const [row] = await this.#connection.query<{ hashes: Buffer | null }>(nodeHashes, level, from, to);
    const hashes = row?.hashes ?? Buffer.alloc(0);
    return Array.from({ length: hashes.length / 32 }, (_, at) => hashes.subarray(at * 32, at * 32 + 32));
  }

  async leavesOf(id: DeviceId): Promise<{ n: number; leaf: Uint8Array }[]> {
    const select = `SELECT n, leaf FROM log WHERE ${unitOfLeaf} = ? ORDER BY n`;
    const rows = await this.#connection.query<LeafRow>(select, id);
    return rows.map(({ n, leaf }) => ({ n, leaf: new Uint8Array(leaf) }));
  }

  copyTo(path: string): Promise<void> {
    return this.#connection.copyTo(path);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** A change and its leaves, in one transaction: if power fails here, all are there afterwards, or none. */
  #logged<Events extends readonly LogEvent[]>(
    change: (sql: Statements, at: string) => Promise<Events>,
  ): Promise<{ events: Events; size: number }> {
    return this.#connection.transaction(async (sql) => {
      const at = this.#clock().toISOString();
      const events = await change(sql, at);
      return { events, size: await appendLeaves(sql, this.#writer, events, at) };
    });
  }

  async #findUnit(select: string, key: string | number): Promise<UnitRecord | undefined> {
    const [row] = await this.#connection.query<UnitRow>(select, key);
    return row === undefined ? undefined : toUnitRecord(row);
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
