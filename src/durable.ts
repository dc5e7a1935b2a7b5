import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

/** Makes names in a directory last: without this a power cut can take back a file that was itself synced. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** A new file that lasts, mode 0600. @throws EEXIST if there is one of this name */
export async function writeDurably(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await writeFile(file, content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * A new file that is there whole or not at all: it is written under another name, and `link` gives it its own,
 * which unlike `rename` never takes the place of another. @throws EEXIST
 */
export async function createWhole(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably(draft, content);
    await giveName(draft, path);
  } finally {
    await rm(draft, { force: true }); // if power fails before this, a second name is left behind, nothing worse
  }
  await syncDirectory(dirname(path));
}

/** Most sticks have a file system without links: there an empty file holds the place until the whole one takes it. */
async function giveName(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if (!noLinks.includes(systemCode(error))) throw error;
    await (await open(path, 'wx', 0o600)).close();
    await rename(draft, path);
  }
}

const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** As `createWhole`, but in the place of a file of this name. */
export async function replaceWhole(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeDurably(draft, content);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
}
