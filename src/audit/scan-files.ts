import type { DeviceId } from '../device.ts';
import type { HeldFile } from './files.ts';
import { type Finding, found } from './finding.ts';
import { type Sighting, sightingsIn } from './key-scan/scan.ts';
import { Trial } from './key-scan/trial.ts';
import type { KnownValues } from './key-scan/known-values.ts';

const chunkSize = 4 * 1024 * 1024;
/** A key at the end of a chunk is whole in the next one, in whatever form it is written. */
const overlap = 4096;
/** Bytes that look random and are tried as a key, in each file: some seconds' work. */
const mostTried = 500_000;

/**
 * Looks through every byte of every file for private keys, free pages and what was never deleted included.
 * @param ownKey what station.key must be, to the byte
 */
export async function* scanFiles(
  files: readonly HeldFile[],
  known: KnownValues,
  ownKey: string | undefined,
  ownerOf: (spkiSha256: string) => Promise<DeviceId | undefined>,
  scanned: (bytes: number) => void,
): AsyncGenerator<Finding> {
  for (const file of files)
    if (!(await isOwnKey(file, ownKey))) yield* scanFile(file, new Trial(known, mostTried), ownerOf, scanned);
}

/** The one key that belongs in a station, and nothing beside it. */
async function isOwnKey({ path, size, handle }: HeldFile, ownKey: string | undefined): Promise<boolean> {
  if (path !== 'station.key' || ownKey === undefined || size !== ownKey.length) return false;
  const { buffer } = await handle.read(Buffer.alloc(size), 0, size, 0);
  return buffer.toString('latin1') === ownKey;
}

async function* scanFile(
  { path, size, handle }: HeldFile,
  trial: Trial,
  ownerOf: (spkiSha256: string) => Promise<DeviceId | undefined>,
  scanned: (bytes: number) => void,
): AsyncGenerator<Finding> {
  const subject = { kind: 'file', path } as const;
  const seen = new Set<string>();
  for (let from = 0; from < size; from += chunkSize - overlap) {
    const bytes = Buffer.alloc(Math.min(chunkSize, size - from));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    for (const { at, form, spkiSha256 } of distinct(sightingsIn(bytes.subarray(0, bytesRead), trial))) {
      const key = spkiSha256 ?? String(from + at);
      if (seen.has(key)) continue;
      seen.add(key);
      const id = spkiSha256 === null ? undefined : await ownerOf(spkiSha256);
      if (id) yield found('key-stored', { kind: 'file', path }, { path, id, at: from + at, form });
      else yield found('key-found', subject, { path, at: from + at, form });
    }
    scanned(Math.min(bytesRead, chunkSize - overlap));
    if (from + bytesRead >= size) break;
  }
  if (trial.isOver) yield found('scan-cut-short', subject, { path });
}

/** A key in PEM is seen twice, as PEM and as what the base64 in it holds: the first says less. */
function distinct(sightings: Iterable<Sighting>): Sighting[] {
  const all = [...sightings];
  const named = all.filter(({ spkiSha256 }) => spkiSha256 !== null);
  return all.filter(
    ({ at, spkiSha256 }) => spkiSha256 !== null || !named.some((other) => Math.abs(other.at - at) < 128),
  );
}
