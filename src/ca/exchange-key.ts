import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { LinesideError } from '../errors.ts';
import { NoteError, type Signer, signerOf } from '../note.ts';
import { readEncrypted, writeEncrypted } from './key-file.ts';

/*
 * The Ed25519 key a CA signs batches with, and checkpoints of the stations' logs. Of its own, because a CA key signs
 * certificates and CRLs and nothing else: whoever has this one can send batches, and can make no device.
 */

/** Its name is that of the CA, as far as a key name may be it (https://c2sp.org/signed-note: no spaces, no "+"). */
function exchangeName(authority: string): string {
  return authority.replace(/[ +]/g, '-');
}

/** PKCS#8 DER, the caller's to wipe. */
export function newExchangeKey(): Buffer {
  return generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  }).privateKey;
}

/**
 * Makes the key in a file under this password; what is returned was read back from it.
 * @throws LinesideError `file-exists`, `directory-unwritable`
 */
export async function createExchangeKey(
  path: string,
  authority: string,
  password: Uint8Array,
): Promise<Signer> {
  await writeEncrypted(path, newExchangeKey(), password);
  return openExchangeKey(path, authority, password);
}

/** @throws LinesideError `key-unreadable`, `key-invalid`, `wrong-password` */
export async function openExchangeKey(
  path: string,
  authority: string,
  password: Uint8Array,
): Promise<Signer> {
  return asExchangeKey(path, authority, await readEncrypted(path, password));
}

/** @param path where it was found, for the error */
export function asExchangeKey(path: string, authority: string, key: KeyObject): Signer {
  try {
    return signerOf(exchangeName(authority), key);
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new LinesideError('key-invalid', { path, reason: cause.message }, { cause });
  }
}
