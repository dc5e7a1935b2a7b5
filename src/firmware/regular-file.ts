import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import { LinesideError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

const sizeLimit = 16 * 1024 * 1024;

/**
 * Reads a regular file of at most 16 MiB in one pass. It never waits: a FIFO or a device is refused unread.
 * @throws LinesideError `firmware-unreadable`, `firmware-invalid` if it is too large
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  const handle = await openWithoutWaiting(path);
  try {
    return await readChecked(path, handle);
  } catch (error) {
    throw asUnreadable(path, error);
  } finally {
    await handle.close();
  }
}

async function openWithoutWaiting(path: string): Promise<FileHandle> {
  try {
    // O_NONBLOCK: opening a FIFO would wait for its writer, opening a terminal would wait for its carrier.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw asUnreadable(path, error);
  }
}

async function readChecked(path: string, handle: FileHandle): Promise<Buffer> {
  const stat = await handle.stat();
  if (!stat.isFile()) throw unreadable(path, 'it is not a regular file');
  if (stat.size > sizeLimit)
    throw new LinesideError('firmware-invalid', { path, reason: 'it is larger than 16 MiB' });
  const bytes = await readWhole(handle, stat.size);
  if (bytes === undefined) throw unreadable(path, 'it changed while it was read');
  return bytes;
}

function asUnreadable(path: string, error: unknown): unknown {
  if (error instanceof LinesideError || !(error instanceof Error)) return error;
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const [, words] = getSystemErrorMap().get(errno) ?? [];
  return unreadable(path, words ?? error.message, error);
}

function unreadable(path: string, reason: string, cause?: Error): LinesideError {
  return new LinesideError('firmware-unreadable', { path, reason }, { cause });
}
