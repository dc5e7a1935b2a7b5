import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from './durable.ts';
import { type ErrorCode, LinesideError, systemCode, systemWords } from './errors.ts';

/**
 * Makes a directory, mode 0700, and what `fill` puts into it: whole or not at all, also when the power fails,
 * because it gets its name last.
 * @param taken the error if something is there already
 * @throws LinesideError `taken`, `directory-unwritable`, and what `fill` throws
 */
export async function makeDirectory(
  directory: string,
  taken: ErrorCode,
  fill: (draft: string) => Promise<void>,
): Promise<void> {
  const target = resolve(directory);
  const draft = join(dirname(target), `.lineside-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(draft, { mode: 0o700 });
    await fill(draft);
    await syncDirectory(draft);
    await takeName(draft, target, taken);
    await syncDirectory(dirname(target));
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // what went wrong before is what matters
    if (cause instanceof LinesideError) throw cause;
    const blocked = ['EEXIST', 'ENOTDIR'].includes(systemCode(cause));
    const reason = blocked ? 'a file is in its way' : systemWords(cause);
    throw new LinesideError('directory-unwritable', { path: target, reason }, { cause });
  }
}

/** Onto an empty directory or none; anything else is refused by the kernel. */
async function takeName(draft: string, target: string, taken: ErrorCode): Promise<void> {
  try {
    await rename(draft, target);
  } catch (cause) {
    const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(cause));
    throw isTaken ? new LinesideError(taken, { path: target }, { cause }) : cause;
  }
}
