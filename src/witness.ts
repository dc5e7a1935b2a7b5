import type { Payload } from './batch/manifest.ts';
import { refusal } from './batch/refusal.ts';
import { logVerifier, openCheckpoint, parseOrigin } from './log/checkpoint.ts';
import { cosign } from './log/cosignature.ts';
import { emptyRoot } from './log/merkle.ts';
import { verifyConsistency } from './log/proof.ts';
import { NoteError, noteText, type Signer, type Verifier } from './note.ts';

/*
 * The CA as the witness of its stations' logs: with every batch it sees how far the log has come, and signs for it
 * only if the log begins with all that it saw before. So what was logged before a batch cannot be changed or cut off
 * afterwards, by whoever has the station (docs/batches.md).
 */

/** The last that was seen of a log. */
export interface Witnessed {
  readonly epoch: number;
  readonly size: number;
  /** RFC 6962, 64 lower-case hex digits. */
  readonly root: string;
}

/** What a batch shows of the log. */
export interface Shown extends Witnessed {
  /** The signed checkpoint. */
  readonly note: string;
}

/** Hashes in base64, one a line. */
export function formatConsistency(proof: readonly Uint8Array[]): Buffer {
  return Buffer.from(proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join(''));
}

/**
 * Holds the log of a batch to what was seen of it before.
 * @throws LinesideError `batch-tampered`: the log was cut, changed, or is signed by somebody else
 */
export function mustExtend(payload: Payload, station: Verifier, last: Witnessed | undefined): Shown {
  const note = Buffer.from(payload.get('checkpoint') ?? []);
  const epoch = epochIn(note, station);
  const { size, root } = opened(note, logVerifier(station, epoch));
  const before = last ?? { epoch: 1, size: 0, root: emptyRoot.toString('hex') };
  if (epoch < before.epoch) throw refusal('log-epoch');
  if (size < before.size) throw refusal('log-cut');
  const older = { size: before.size, root: Buffer.from(before.root, 'hex') };
  const proof = parseConsistency(Buffer.from(payload.get('consistency') ?? []));
  if (!verifyConsistency(older, { size, root }, proof)) throw refusal('log-rewritten');
  return { epoch, size, root: Buffer.from(root).toString('hex'), note: note.toString() };
}

/** The checkpoint with the witness's name on it. */
export function cosigned({ epoch, note }: Shown, station: Verifier, witness: Signer, now: Date): string {
  return cosign(note, logVerifier(station, epoch), witness, now);
}

function opened(note: Uint8Array, log: Verifier) {
  try {
    return openCheckpoint(note, log);
  } catch (cause) {
    throw cause instanceof NoteError ? refusal('checkpoint', 'checkpoint', cause) : cause;
  }
}

function epochIn(note: Uint8Array, station: Verifier): number {
  try {
    const origin = parseOrigin(noteText(note).split('\n')[0] ?? '');
    if (origin?.station === station.name) return origin.epoch;
    throw new NoteError('name', 'it is of another log');
  } catch (cause) {
    throw cause instanceof NoteError ? refusal('checkpoint', 'checkpoint', cause) : cause;
  }
}

/** As `formatConsistency` writes it, exactly. */
function parseConsistency(text: Buffer): Buffer[] {
  const lines = text.toString('latin1').split('\n').slice(0, -1);
  const proof = lines.map((line) => Buffer.from(line, 'base64'));
  if (!formatConsistency(proof).equals(text)) throw refusal('log-rewritten', 'consistency');
  return proof;
}
