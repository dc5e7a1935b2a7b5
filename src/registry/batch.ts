import type { DeviceId } from '../device.ts';

/** `out` is to the CA, `in` from it. */
export type Direction = 'out' | 'in';

/** A batch on its way into the registry; what its manifest says is for the caller to know. */
export interface NewBatch {
  readonly sequence: number;
  readonly manifest: Uint8Array;
  /** SHA-256 of the manifest, 64 lower-case hex digits. */
  readonly sha256: string;
  /** The same of the batch before it in its direction, 64 zeros for the first. */
  readonly previous: string;
}

export interface BatchRecord extends NewBatch {
  readonly direction: Direction;
  readonly at: string;
  /** When an outgoing batch was on its medium and read back. */
  readonly writtenAt: string | null;
}

/** A certificate as it came from the CA; whether it is this unit's is for the caller to know. */
export interface NewCertificate {
  readonly id: DeviceId;
  /** Counts the certificates of a unit, from 1. */
  readonly generation: number;
  readonly der: Uint8Array;
  /** Upper-case hex digits. */
  readonly serial: string;
}

/** What goes or came with the requests or certificates, as it was. */
export type BatchFiles = ReadonlyMap<string, Uint8Array>;

/** The newest certificate of a unit and the files of the batch it came in. */
export interface Credentials {
  readonly generation: number;
  readonly certificate: Uint8Array;
  readonly files: BatchFiles;
}

/** How far the log goes: its leaves, and the SHA-256 of the last one, zeros if there is none. */
export interface LogPosition {
  readonly size: number;
  readonly head: string;
}
