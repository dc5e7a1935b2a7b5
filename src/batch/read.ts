import type { Verifier } from '../note.ts';
import {
  hashOf,
  type Manifest,
  manifestFile,
  maximumManifest,
  parseManifest,
  type Payload,
  type PayloadFile,
} from './manifest.ts';
import { Media } from './media.ts';
import { refusal } from './refusal.ts';
import { maximumSeal, sealerOf, sealFile } from './seal.ts';

/** A batch as it was signed: every byte here has been checked, and the medium is not needed any more. */
export interface Batch {
  readonly manifest: Manifest;
  /** Who signed it. */
  readonly signer: Verifier;
  /** SHA-256 of the manifest's bytes: the name of the batch. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly payload: Payload;
}

/**
 * Reads a batch that one of these has signed from a medium that nobody vouches for. The signature is checked before anything is parsed, and every
 * file from the bytes that are handed on. Whether it is the batch that is due is for `placeOf` to say.
 * @throws LinesideError `batch-unreadable`, `batch-refused`, `batch-tampered`
 */
export function readBatch(path: string, from: readonly Verifier[]): Promise<Batch> {
  return onBatch(path, from, async (media, sealed) => ({
    ...sealed,
    payload: await readPayload(media, sealed.manifest),
  }));
}

/**
 * As `readBatch`, of a batch that is only to be checked: no more than a part of it is held.
 * @returns SHA-256 of its manifest
 */
export function checkBatch(path: string, from: readonly Verifier[]): Promise<string> {
  return onBatch(path, from, async (media, { manifest, sha256 }) => {
    for (const entry of manifest.files) mustBe(entry, await media.hash(entry.name, limitOf(entry)));
    return sha256;
  });
}

async function onBatch<T>(
  path: string,
  from: readonly Verifier[],
  work: (media: Media, sealed: Omit<Batch, 'payload'>) => Promise<T>,
): Promise<T> {
  const media = await Media.open(path);
  try {
    const bytes = await media.read(manifestFile, maximumManifest);
    const signer = sealerOf(bytes, await media.read(sealFile, maximumSeal), from);
    const manifest = parseManifest(bytes);
    mustHoldExactly(media.names, manifest);
    return await work(media, { manifest, signer, sha256: hashOf(bytes), bytes });
  } finally {
    await media.close();
  }
}

function mustHoldExactly(names: readonly string[], { files }: Manifest): void {
  const told: readonly string[] = [manifestFile, sealFile, ...files.map(({ name }) => name)];
  const unknown = names.find((name) => !told.includes(name));
  if (unknown !== undefined) throw refusal('unknown-file', unknown);
}

async function readPayload(media: Media, { files }: Manifest): Promise<Payload> {
  const payload = new Map<PayloadFile, Uint8Array>();
  for (const entry of files) {
    const bytes = await media.read(entry.name, limitOf(entry));
    mustBe(entry, { length: bytes.length, sha256: hashOf(bytes) });
    payload.set(entry.name, bytes);
  }
  return payload;
}

type Entry = Manifest['files'][number];

/** Room for a little more: a file that is longer than it should be was changed, only a huge one is "too large". */
function limitOf({ length }: Entry): number {
  return length + maximumManifest;
}

function mustBe({ name, length, sha256 }: Entry, found: Pick<Entry, 'length' | 'sha256'>): void {
  if (found.length !== length) throw refusal('length', name);
  if (found.sha256 !== sha256) throw refusal('sha256', name);
}
