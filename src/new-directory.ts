import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncDirectory } from './durable.ts';
import { type ErrorCode, LinesideError, systemCode, systemWords } from './errors.ts';

type Fill = (draft: string) => Promise<void>;

/**
 * Makes a directory, mode 0700, and what `fill` puts into it: whole or not at all, also when the power fails,
 * because it gets its name last.
 * @param taken the error if something is there already
 * @throws LinesideError `taken`, `directory-unwritable`, and what `fill` throws
 */
export function makeDirectory(directory: string, taken: ErrorCode, fill: Fill): Promise<void> {
  return drafted(resolve(directory), fill, (draft, target) => takeName(draft, target, taken));
}

/**
 * As `makeDirectory`, but in the place of the directory that has this name, if there is one: it stays until the new
 * one is whole, and comes back if that one cannot get its name. If power fails between the two renames, both are
 * there whole, each under a hidden name.
 * @throws LinesideError `directory-unwritable`, and what `fill` throws
 */
export function replaceDirectory(directory: string, fill: Fill): Promise<void> {
  return drafted(resolve(directory), fill, async (draft, target) => {
    const before = hiddenBeside(target);
    const stood = await putAside(target, before);
    try {
      await rename(draft, target);
    } catch (cause) {
      if (stood) await rename(before, target);
      throw cause;
    }
    await syncDirectory(dirname(target));
    await rm(before, { recursive: true, force: true }).catch(() => {}); // what is left of it is in nobody's way
  });
}

async function drafted(
  target: string,
  fill: Fill,
  settle: (draft: string, target: string) => Promise<void>,
): Promise<void> {
  const draft = hiddenBeside(target);
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(draft, { mode: 0o700 });
    await fill(draft);
    await syncDirectory(draft);
    await settle(draft, target);
    await syncDirectory(dirname(target));
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // what went wrong before is what matters
    if (cause instanceof LinesideError) throw cause;
    const blocked = ['EEXIST', 'ENOTDIR'].includes(systemCode(cause));
    const reason = blocked ? 'a file is in its way' : systemWords(cause);
    throw new LinesideError('directory-unwritable', { path: target, reason }, { cause });
  }
}

function hiddenBeside(target: string): string {
  return join(dirname(target), `.lineside-${randomBytes(6).toString('hex')}`);
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

/** @returns whether there was anything */
async function putAside(target: string, to: string): Promise<boolean> {
  try {
    await rename(target, to);
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return false;
    throw cause;
  }
}
