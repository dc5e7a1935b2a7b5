import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncDirectory, writeDurably } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import type { Registry } from './registry/registry.ts';
import { checkBackup } from './registry/sqlite.ts';

export interface Backup {
  /** SHA-256 of the file, 64 lower-case hex digits. */
  readonly sha256: string;
  /** How many entries of the log it holds. */
  readonly size: number;
}

/**
 * Writes a backup of the registry to a new file, reads all of it back, and logs that it was made. It has its name when
 * it is whole: if power fails before, there is no backup of this name. `log.head` and `station.key` are not in it.
 * @throws LinesideError `file-exists`, `backup-failed`, `backup-damaged`
 */
export async function backupRegistry(registry: Registry, path: string): Promise<Backup> {
  await onMedium(path, () => mustBeNew(path));
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const { size } = await registry.logPosition();
  try {
    await onMedium(path, () => writeDurably(draft, '')); // SQLite would make it readable for others
    await registry.copyTo(draft);
    await onMedium(path, () => lastingName(draft, path));
  } finally {
    await rm(draft, { force: true });
  }
  await checkBackup(path);
  const sha256 = await onMedium(path, () => hashOfFile(path));
  await registry.record({ ev: 'backup.made', backup: sha256, size });
  return { sha256, size };
}

async function mustBeNew(path: string): Promise<void> {
  const isThere = await lstat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    },
  );
  if (isThere) throw new LinesideError('file-exists', { path });
}

/** SQLite "does not invoke fsync() on the generated database" (lang_vacuum.html). */
async function lastingName(draft: string, path: string): Promise<void> {
  const file = await open(draft, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncDirectory(dirname(path));
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function onMedium<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    throw new LinesideError('backup-failed', { path, reason: systemWords(cause) }, { cause });
  }
}
