import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LinesideError, systemWords } from './errors.ts';
import { fingerprint, NoteError, readVerifier, type Verifier } from './note.ts';
import { readWhole } from './read-whole.ts';

/** A verifier key is one line; a file longer than this is something else. */
const longestFile = 512;

/**
 * Reads a verifier key from a file that came on a stick: one line, and nothing to wait for.
 * @param inDirectory what the file is called if `path` is the directory of a station or a CA
 * @throws LinesideError `verifier-key-invalid`
 */
export async function readVerifierFile(path: string, inDirectory: string): Promise<Verifier> {
  try {
    const file = (await stat(path)).isDirectory() ? join(path, inDirectory) : path;
    return readVerifier((await readSmallFile(file)).toString().replace(/\n$/, ''));
  } catch (cause) {
    const reason = cause instanceof NoteError ? cause.message : systemWords(cause);
    throw new LinesideError('verifier-key-invalid', { path, reason }, { cause });
  }
}

/**
 * Makes sure that the key is the one whose fingerprint was told by another way than the file came.
 * @throws LinesideError `fingerprint-differs`
 */
export function mustHaveFingerprint(verifier: Verifier, told: string, path: string): void {
  const found = fingerprint(verifier);
  if (told.replace(/\s/g, '').toLowerCase() === found.replaceAll(' ', '')) return;
  throw new LinesideError('fingerprint-differs', { path, found, expected: told });
}

/** How manifests name a key. */
export function keyName({ name, hash }: Verifier): string {
  return `${name}+${hash}`;
}

/** A note or a key from a medium: a regular file of a few lines. @throws Error that says why not */
export async function readSmallFile(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > longestFile) throw new Error('it is not a small file');
    return (await readWhole(file, stat.size)) ?? Buffer.alloc(0);
  } finally {
    await file.close();
  }
}
