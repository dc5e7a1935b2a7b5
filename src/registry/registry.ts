import type { DeviceId, Lease, UnitState } from '../device.ts';
import type {
  BatchFiles,
  BatchRecord,
  Credentials,
  Direction,
  LogPosition,
  NewBatch,
  NewCertificate,
} from './batch.ts';
import type { LogEvent, NewEpoch } from './log.ts';

/** One attempt to make a device, as the registry keeps it. Times are ISO 8601 UTC with milliseconds. */
export interface UnitRecord {
  readonly id: DeviceId;
  readonly state: UnitState;
  /** PKCS#10 DER, the exact bytes the unit process signed; null before `keyed`. */
  readonly csr: Uint8Array | null;
  /** SHA-256 of the SubjectPublicKeyInfo DER, 64 lower-case hex digits. */
  readonly spkiSha256: string | null;
  readonly uid: string | null;
  readonly probe: string | null;
  readonly firmwareSha256: string | null;
  /** How possession was proven (design section 2, step 6); null before `verified`. */
  readonly proof: Proof | null;
  /** Whether the debug port was locked and the lock proven. */
  readonly locked: boolean;
  /** The batch that took its CSR to the CA; null before `exported`. */
  readonly batch: number | null;
  /** The newest certificate, DER; null before `certified`. */
  readonly certificate: Uint8Array | null;
  /** Which generation of certificate the device holds; null before `installed`. */
  readonly generation: number | null;
  /** Why the unit is void; an error code or the words of whoever voided it. */
  readonly reason: string | null;
  readonly reservedAt: string;
  readonly changedAt: string;
}

/** `read-back`: compared inside OpenOCD. `signature`: the device signed a fresh nonce. */
export type Proof = 'read-back' | 'signature';

export interface LeaseUse {
  readonly lease: Lease;
  /** Ids of this lease that have a unit. */
  readonly used: number;
  /** None of a lease that is closed. */
  readonly left: number;
  readonly closed: boolean;
}

/** A step forward in the life of a unit, with what becomes known at that step. */
export type Step =
  | { readonly to: 'keyed'; readonly csr: Uint8Array; readonly spkiSha256: string }
  | {
      readonly to: 'flashing';
      readonly uid: string;
      readonly probe: string;
      readonly firmwareSha256: string | null;
    }
  | { readonly to: 'flashed' }
  | { readonly to: 'verified'; readonly proof: Proof; readonly locked: boolean }
  | { readonly to: 'installed'; readonly generation: number; readonly locked: boolean }
  | { readonly to: 'void'; readonly reason: string };

/** A step that a unit takes only with all the units of its batch. */
export type BatchStep =
  | { readonly to: 'exported'; readonly batch: number }
  | { readonly to: 'certified'; readonly batch: number; readonly certificate: NewCertificate };

/**
 * Ids, CSRs and states. Every method that changes something has, when it returns, committed the change and its
 * log leaf durably and together; when it throws, neither. After `registry-io` or `registry-full` the disk may hold
 * the change all the same: the registry then takes nothing more, and opening it again shows both or neither. One
 * process has a registry open at a time.
 */
export interface Registry {
  /** @throws LinesideError `lease-overlaps` */
  addLease(lease: Lease): Promise<void>;
  leases(): Promise<LeaseUse[]>;
  /** Consumes the next free id of the leases for ever. @throws LinesideError `lease-exhausted` */
  reserveNext(): Promise<DeviceId>;
  /** Consumes this id for ever. @throws LinesideError `id-outside-lease`, `id-in-use` */
  reserve(id: DeviceId): Promise<void>;
  /** @throws LinesideError `illegal-transition`, `unit-not-found`, `key-in-use`, `board-in-use` */
  advance(id: DeviceId, step: Step): Promise<void>;
  find(id: DeviceId): Promise<UnitRecord | undefined>;
  /** The unit, not void, that this chip carries. */
  findByUid(uid: string): Promise<UnitRecord | undefined>;
  /** By id, in pages, so that a million units do not fill the memory. */
  units(filter: {
    readonly states?: readonly UnitState[];
    readonly batch?: number;
  }): AsyncIterable<UnitRecord>;

  /** The verifier key of the CA that this station trusts; the last one, if others came before it. */
  authority(): Promise<string | undefined>;
  /**
   * Trusts a CA: the first one, or the one that from now on takes the place of the last. Again the same is nothing.
   * `sha256` is the log's name for the key.
   * @throws LinesideError `authority-differs`
   */
  trust(verifier: string, sha256: string, as: 'first' | 'successor'): Promise<void>;
  lastBatch(direction: Direction): Promise<BatchRecord | undefined>;
  findBatch(direction: Direction, sequence: number): Promise<BatchRecord | undefined>;
  /**
   * Puts a batch for the CA on record and makes its units `exported`, all or none. It must be the next one. `files`
   * are those that could not be made again.
   * @throws LinesideError `illegal-transition`, `unit-not-found`
   */
  exportBatch(batch: NewBatch, units: readonly DeviceId[], files: BatchFiles): Promise<void>;
  /** What was put on record with a batch beside its requests or certificates. */
  batchFiles(direction: Direction, sequence: number): Promise<BatchFiles>;
  /** Says that an outgoing batch is on its medium. @throws LinesideError `batch-unknown` */
  batchWritten(sequence: number): Promise<void>;
  /**
   * Puts a batch of the CA on record and makes its units `certified`, all or none. A certificate that is on record
   * already changes nothing. It must be the next batch.
   * @returns the units that were certified by it
   * @throws LinesideError `certificate-differs`, `serial-in-use`, `illegal-transition`, `unit-not-found`
   */
  importBatch(
    batch: NewBatch,
    certificates: readonly NewCertificate[],
    files: BatchFiles,
  ): Promise<readonly DeviceId[]>;
  /** Undefined for a unit that has no certificate. */
  credentials(id: DeviceId): Promise<Credentials | undefined>;

  /** Writes an event that changes no unit. */
  record(event: LogEvent): Promise<void>;
  /**
   * Writes the `seal`: how many units are in each state, SHA-256 over the lines of all units, the id that comes next.
   * @returns how many leaves the log has with it
   */
  seal(): Promise<number>;
  /** Which epoch the log is in; undefined before the first is opened. */
  epoch(): Promise<number | undefined>;
  /** Opens an epoch, later than all before. */
  openEpoch(epoch: NewEpoch): Promise<void>;
  /** No id of the leases there are now is ever given again. */
  closeLeases(): Promise<void>;
  /** The log's leaves in order, as written. */
  leaves(): AsyncIterable<Uint8Array>;
  /** The same from leaf `from` on with their places, many at a time. */
  leafPages(from: number): AsyncIterable<readonly { readonly n: number; readonly leaf: Uint8Array }[]>;
  logPosition(): Promise<LogPosition>;
  /** Nodes of one level of the log's tree, from place `from` up to but not including `to`, so far as there are. */
  nodes(level: number, from: number, to: number): Promise<Buffer[]>;
  /** The leaves that name this unit, in order. */
  leavesOf(id: DeviceId): Promise<{ readonly n: number; readonly leaf: Uint8Array }[]>;
  /** Writes a copy of the registry to a file that is new or empty. @throws LinesideError `backup-failed` */
  copyTo(path: string): Promise<void>;
  close(): Promise<void>;
}
