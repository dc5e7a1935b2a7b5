import type { DeviceId } from '../device.ts';
import type { HeldFile } from './files.ts';
import { type Finding, found } from './finding.ts';
import { type Sighting, sightingsIn } from './key-scan/scan.ts';
import { Trial } from './key-scan/trial.ts';
import type { KnownValues } from './key-scan/known-values.ts';

const chunkSize = 4 * 1024 * 1024;
/** A key at the end of a chunk is whole in the next one, in whatever form it is written. */
const overlap = 4096;
/** So many places are tried in a file: a second's work for a small one; in a registry one for each unit is. */
const mostTried = (size: number) => 50_000 + size / 128;

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
    if (!(await isOwnKey(file, ownKey)))
      yield* scanFile(file, new Trial(known, mostTried(file.size)), ownerOf, scanned);
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

/** What lies within this of another is the same key: seen as PEM, say, and as what the base64 in it holds. */
const nearby = 128;

/** Each key once, by the sighting that says most. */
function distinct(sightings: Iterable<Sighting>): Sighting[] {
  const kept: Sighting[] = [];
  for (const sighting of [...sightings].sort((one, other) => one.at - other.at)) {
    const last = kept.at(-1);
    const names = new Set([last?.spkiSha256, sighting.spkiSha256].filter((name) => name !== null));
    if (last === undefined || sighting.at - last.at > nearby || names.size > 1) kept.push(sighting);
    else if (last.spkiSha256 === null) kept[kept.length - 1] = sighting;
  }
  return kept;
}
