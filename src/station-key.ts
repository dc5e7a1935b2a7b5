import { createHash } from 'node:crypto';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createWhole } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import { formatPrivateKey, makeSigner, NoteError, readSigner, type Signer, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';

/** The key a station signs its batches with, and what the CA is given at commissioning to check them. */
const keyFile = 'station.key';
const verifierFile = 'station.vkey';

/** A key on disk is a few lines; anything longer is another file. */
const longestKey = 4096;

/**
 * Makes the station's key. The log learns of it first: if power fails here, the log names a key that nobody has, and
 * the next start makes another; never is there a key the log does not know.
 * @throws what writing a file throws, `EEXIST` among it: a key is never put in the place of another
 */
export async function createStationKey(directory: string, name: string, registry: Registry): Promise<Signer> {
  const signer = makeSigner(name);
  await registry.record({ ev: 'station.key', signer: signerSha256(signer.verifier) });
  await createWhole(join(directory, keyFile), formatPrivateKey(signer));
  await showVerifier(directory, signer.verifier);
  return signer;
}

/**
 * The station's key. A station that was made before stations had one gets its own here; one that has signed its log
 * never gets another.
 * @throws LinesideError `station-key-unusable`, `directory-unwritable`
 */
export async function openStationKey(directory: string, name: string, registry: Registry): Promise<Signer> {
  try {
    const pem = await readKeyFile(join(directory, keyFile));
    if (pem === undefined) {
      if ((await registry.epoch()) === undefined) return await createStationKey(directory, name, registry);
      throw unusable(join(directory, keyFile), 'it is gone');
    }
    const signer = readSigner(name, pem);
    await showVerifier(directory, signer.verifier);
    return signer;
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    if (cause instanceof NoteError) throw unusable(directory, cause.message, cause);
    throw new LinesideError(
      'directory-unwritable',
      { path: directory, reason: systemWords(cause) },
      { cause },
    );
  }
}

/** The key of a station that has one. @throws LinesideError `station-key-unusable` */
export async function readStationKey(directory: string, name: string): Promise<Signer> {
  const path = join(directory, keyFile);
  try {
    const pem = await readKeyFile(path);
    if (pem === undefined) throw unusable(path, 'it is gone');
    return readSigner(name, pem);
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    throw unusable(path, systemWords(cause), cause);
  }
}

/** SHA-256 of the file that carries the key; the fingerprint is its beginning. */
export function signerSha256({ line }: Verifier): string {
  return createHash('sha256').update(`${line}\n`).digest('hex');
}

/** Undefined if there is none. */
async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, size } = await file.stat();
      if ((mode & 0o077) !== 0) throw unusable(path, 'others than its owner may read it');
      if (size > longestKey) throw unusable(path, 'it is not a key');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** For carrying only: the station itself derives it from its key. One that is there is left alone. */
async function showVerifier(directory: string, { line }: Verifier): Promise<void> {
  const path = join(directory, verifierFile);
  try {
    await access(path);
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw cause;
    await createWhole(path, `${line}\n`);
  }
}

function unusable(path: string, reason: string, cause?: unknown): LinesideError {
  return new LinesideError('station-key-unusable', { path, reason }, { cause });
}
