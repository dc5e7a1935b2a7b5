import { NoteError, type Verifier } from '../note.ts';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { leafHash } from './merkle.ts';
import { verifyInclusion } from './proof.ts';

/*
 * Proofs to carry (https://c2sp.org/tlog-proof): a checkpoint, a leaf, its index, and the way from there to the root.
 * Offline, and with the keys of the log and its witnesses, it shows that the leaf was logged. The leaf is the "extra
 * data", which by itself nothing vouches for: it is believed when its hash leads to the root.
 */

export interface LeafProof {
  readonly leaf: Uint8Array;
  readonly index: number;
  /** Sibling hashes, that of the leaf first. */
  readonly path: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
}

const header = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves has no longer path. */
const longestPath = 53;

export function formatProof({ leaf, index, path, checkpoint }: LeafProof): string {
  const lines = path.map((hash) => `${base64(hash)}\n`);
  return `${header}\nextra ${base64(leaf)}\nindex ${index}\n${lines.join('')}\n${checkpoint}`;
}

/** Reads what `formatProof` writes, exactly that. @throws NoteError `malformed` */
export function parseProof(text: string): LeafProof {
  const split = text.indexOf('\n\n');
  const [, extra = '', index = '', ...lines] = text.slice(0, Math.max(0, split)).split('\n');
  const proof = {
    leaf: Buffer.from(extra.slice('extra '.length), 'base64'),
    index: Number(index.slice('index '.length)),
    path: lines.slice(0, longestPath + 1).map((line) => Buffer.from(line, 'base64')),
    checkpoint: text.slice(split + 2),
  };
  const possible =
    Number.isSafeInteger(proof.index) && proof.index >= 0 && proof.path.every(({ length }) => length === 32);
  if (possible && proof.path.length <= longestPath && formatProof(proof) === text) return proof;
  throw new NoteError('malformed', 'it is not a proof of inclusion');
}

/**
 * The checkpoint that a proof shows its leaf to be under; undefined if its path does not lead there.
 * @throws NoteError as `openCheckpoint`
 */
export function openProof(
  { leaf, index, path, checkpoint }: LeafProof,
  log: Verifier,
  witnesses: readonly Verifier[] = [],
): OpenedCheckpoint | undefined {
  const opened = openCheckpoint(Buffer.from(checkpoint), log, witnesses);
  return verifyInclusion(leafHash(leaf), index, opened.size, path, opened.root) ? opened : undefined;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
