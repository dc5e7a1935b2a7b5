import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory, writeDurably } from './durable.ts';
import { LinesideError } from './errors.ts';
import { formatBundle, tileHeight, tilePath, tilesOf, tileWidth } from './log/tiles.ts';
import { verifyExport } from './log-verify.ts';
import { makeDirectory } from './new-directory.ts';
import type { Registry } from './registry/registry.ts';
import type { Station } from './station-directory.ts';
import { readStationKey } from './station-key.ts';
import { makeCheckpoint, requestProver, type SignedCheckpoint } from './station-log.ts';

/**
 * Writes the log to a new directory, in the form of https://c2sp.org/tlog-tiles: a checkpoint made now, tiles and
 * entries, and the verifier key of the station, which is for convenience only: who verifies has it from elsewhere. It
 * gets its name when all of it is on the medium, and is then read back as its receiver will read it.
 * @param proofs whether to add a `.tlog-proof` for each certificate request
 * @throws LinesideError `log-…`, `directory-taken`, `directory-unwritable`
 */
export async function exportLog(
  directory: string,
  { file, registry }: Station,
  target: string,
  proofs: 'with-proofs' | 'without-proofs',
): Promise<SignedCheckpoint> {
  const checkpoint = await makeCheckpoint(directory, file, registry);
  const { verifier } = await readStationKey(resolve(directory), file.name);
  await makeDirectory(target, 'directory-taken', async (draft) => {
    const folder = new Folder(draft);
    await folder.write('checkpoint', checkpoint.note);
    await folder.write('station.vkey', `${verifier.line}\n`);
    await writeTiles(folder, registry, checkpoint.size);
    if (proofs === 'with-proofs') await writeProofs(folder, registry, checkpoint);
    await folder.sync();
  });
  const { origin, root } = { root: undefined, ...(await verifyExport(target, verifier)) };
  if (origin === checkpoint.origin && root?.equals(checkpoint.root)) return checkpoint;
  throw new LinesideError('directory-unwritable', {
    path: target,
    reason: 'what is read back is not what was written',
  });
}

async function writeTiles(folder: Folder, registry: Registry, size: number): Promise<void> {
  const entries = bundlesOf(registry);
  for (const place of tilesOf(size)) {
    const { level, index, width } = place;
    const bytes =
      level === 'entries'
        ? formatBundle(((await entries.next()).value ?? []).slice(0, width))
        : Buffer.concat(
            await registry.nodes(level * tileHeight, index * tileWidth, index * tileWidth + width),
          );
    await folder.write(tilePath(place), bytes);
  }
}

/** All leaves, as many at a time as go into a bundle. */
async function* bundlesOf(registry: Registry): AsyncGenerator<Uint8Array[], undefined> {
  let some: Uint8Array[] = [];
  for await (const page of registry.leafPages(0))
    for (const { leaf } of page) {
      if (some.push(leaf) < tileWidth) continue;
      yield some;
      some = [];
    }
  if (some.length > 0) yield some;
}

async function writeProofs(folder: Folder, registry: Registry, checkpoint: SignedCheckpoint): Promise<void> {
  const prove = requestProver(registry, checkpoint);
  for await (const { id, csr } of registry.units({}))
    if (csr !== null) await folder.write(`proofs/${id}.tlog-proof`, await prove(id));
}

/** A directory being filled; what is in it lasts once it is synced. */
class Folder {
  readonly #path: string;
  readonly #directories = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.#path, name);
    for (let parent = dirname(path); parent !== this.#path; parent = dirname(parent))
      this.#directories.add(parent);
    await mkdir(dirname(path), { recursive: true });
    await writeDurably(path, content);
  }

  async sync(): Promise<void> {
    for (const directory of this.#directories) await syncDirectory(directory);
  }
}
