import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LinesideError, systemWords } from './errors.ts';
import { NoteError, readVerifier, type Verifier } from './note.ts';
import { readWhole } from './read-whole.ts';
import type { Registry } from './registry/registry.ts';
import { signerSha256 } from './station-key.ts';

/** A verifier key is one line; a file longer than this is something else. */
const longestFile = 512;

/**
 * Reads a verifier key from a file that came on a stick: one line, and nothing to wait for.
 * @throws LinesideError `verifier-key-invalid`
 */
export async function readVerifierFile(path: string): Promise<Verifier> {
  try {
    return readVerifier((await readLine(path)).replace(/\n$/, ''));
  } catch (cause) {
    const reason = cause instanceof NoteError ? cause.message : systemWords(cause);
    throw new LinesideError('verifier-key-invalid', { path, reason }, { cause });
  }
}

/** From here on batches go to this CA, and those that it signed are taken. @throws LinesideError `authority-differs` */
export function trustAuthority(registry: Registry, authority: Verifier): Promise<void> {
  return registry.trust(authority.line, signerSha256(authority));
}

/** @throws LinesideError `authority-missing` */
export async function trustedAuthority(registry: Registry): Promise<Verifier> {
  const line = await registry.authority();
  if (line === undefined) throw new LinesideError('authority-missing');
  return readVerifier(line);
}

/** How manifests name a CA. */
export function authorityName({ name, hash }: Verifier): string {
  return `${name}+${hash}`;
}

async function readLine(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > longestFile) throw new Error('it is not a file of one line');
    return (await readWhole(file, stat.size))?.toString() ?? '';
  } finally {
    await file.close();
  }
}
