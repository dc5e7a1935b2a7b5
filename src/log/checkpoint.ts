import {
  ed25519,
  NoteError,
  type OpenedNote,
  readNote,
  type Signer,
  signNote,
  type Verifier,
  verifierAs,
} from '../note.ts';

/*
 * Checkpoints (https://c2sp.org/tlog-checkpoint): a signed note that says how far a log goes and what its root is
 * there. The key of a station also signs its batches; the first line keeps the two apart, because no origin is
 * "lineside batch v1".
 */

export interface Checkpoint {
  /** Which log: see `logOrigin`. */
  readonly origin: string;
  /** How many leaves. */
  readonly size: number;
  /** RFC 6962 root, 32 bytes. */
  readonly root: Uint8Array;
}

/** A checkpoint that the log has signed, with what else on the note holds. */
export interface OpenedCheckpoint extends Checkpoint {
  readonly held: OpenedNote['held'];
}

/** The origin of a station's log, and the name of the key that signs it. Epochs count from 1. */
export function logOrigin(station: string, epoch: number): string {
  return `lineside/${station}/${epoch}`;
}

/** Undefined for what is not the origin of a station's log. */
export function parseOrigin(origin: string): { station: string; epoch: number } | undefined {
  const [, station, epoch] = /^lineside\/([a-z0-9][a-z0-9-]{0,31})\/([1-9]\d{0,9})$/.exec(origin) ?? [];
  return station === undefined ? undefined : { station, epoch: Number(epoch) };
}

/** What the checkpoints of a station's log are checked with: anybody who has the station's key can derive it. */
export function logVerifier(station: Verifier, epoch: number): Verifier {
  return verifierAs(station, logOrigin(station.name, epoch), ed25519);
}

export function logSigner({ verifier, privateKey }: Signer, epoch: number): Signer {
  return { verifier: logVerifier(verifier, epoch), privateKey };
}

/** The three lines and no more: an extension line would be signed and looked at by nobody. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Reads what `formatCheckpoint` writes, exactly that. @throws NoteError `malformed` */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', digits = '', encoded = ''] = text.split('\n');
  const checkpoint = { origin, size: Number(digits), root: Buffer.from(encoded, 'base64') };
  const { size, root } = checkpoint;
  const possible = origin !== '' && Number.isSafeInteger(size) && size >= 0 && root.length === 32;
  if (possible && formatCheckpoint(checkpoint) === text) return checkpoint;
  throw new NoteError('malformed', 'it is not a checkpoint');
}

/** @throws NoteError `name` if the key is not that of the log */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  if (signer.verifier.name !== checkpoint.origin)
    throw new NoteError('name', 'a log is signed with the key that has its name');
  return signNote(formatCheckpoint(checkpoint), signer);
}

/**
 * The checkpoint of a note that this log has signed. Signatures of `others` that are on it are checked too: see
 * `cosignaturesOn`.
 * @throws NoteError `malformed`, `unknown-signer`, `signature`, `name` if it is of another log
 */
export function openCheckpoint(
  note: Uint8Array,
  log: Verifier,
  others: readonly Verifier[] = [],
): OpenedCheckpoint {
  const { text, held } = readNote(note, [log, ...others]);
  if (!held.some(({ verifier }) => verifier === log))
    throw new NoteError('unknown-signer', 'the log itself has not signed it');
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== log.name) throw new NoteError('name', `it is of the log ${checkpoint.origin}`);
  return { ...checkpoint, held };
}
