import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory, writeDurably } from '../durable.ts';
import { LinesideError, systemCode, systemWords } from '../errors.ts';
import type { Signer, Verifier } from '../note.ts';
import { type Contents, hashOf, manifestFile, type Streamed } from './manifest.ts';
import { checkBatch } from './read.ts';
import { refusal } from './refusal.ts';
import { seal, sealFile } from './seal.ts';

/**
 * Writes a batch to a new directory. It gets its name when all of it is on the medium: whatever moment power fails
 * at or the stick is pulled, there is no batch of this name or a whole one. Then it is read back as its receiver
 * will read it. The same batch in its place already is as good: it was written before, and nobody lived to see it.
 * @throws LinesideError `directory-taken`, `directory-unwritable`, `batch-…` if what is read back is not the batch
 */
export async function writeBatch(
  path: string,
  manifest: Uint8Array,
  contents: Contents,
  signer: Signer,
): Promise<void> {
  const target = resolve(path);
  if (!(await isThere(target, manifest, signer.verifier))) {
    await writeWhole(target, [...contents, [manifestFile, manifest], [sealFile, seal(manifest, signer)]]);
  }
  await onDisk(target, () => syncDirectory(dirname(target)));
  if ((await checkBatch(target, [signer.verifier])) !== hashOf(manifest)) throw refusal('changed');
}

/** Whatever else is there, or cannot be read, is not it: taking its name will then fail. */
async function isThere(target: string, manifest: Uint8Array, from: Verifier): Promise<boolean> {
  try {
    return (await checkBatch(target, [from])) === hashOf(manifest);
  } catch {
    return false;
  }
}

type File = readonly [name: string, content: Uint8Array | Streamed];

async function writeWhole(target: string, files: readonly File[]): Promise<void> {
  const draft = join(dirname(target), `.lineside-${randomBytes(6).toString('hex')}`);
  try {
    await onDisk(target, async () => {
      await mkdir(draft);
      for (const [name, content] of files)
        await writeDurably(join(draft, name), content instanceof Uint8Array ? content : content.read());
      await syncDirectory(draft);
      await rename(draft, target); // onto nothing or an empty directory; the kernel refuses anything else
    });
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // what went wrong before is what matters
    throw error;
  }
}

async function onDisk(target: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(cause)))
      throw new LinesideError('directory-taken', { path: target }, { cause });
    throw new LinesideError('directory-unwritable', { path: target, reason: systemWords(cause) }, { cause });
  }
}
