import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LinesideError, systemWords } from '../errors.ts';
import { writeNewFile } from '../new-file.ts';
import { formatPem, parsePem } from '../pem.ts';
import { encryptKey } from './encrypted-key.ts';
import { type Signer, softwareSigner } from './signer.ts';

/**
 * Makes a P-256 key and writes it under this password, readable by its owner alone. What is returned was read back
 * from the file, so a key that cannot be opened again never signs anything.
 * @throws LinesideError `file-exists`, `directory-unwritable`
 */
export async function createKeyFile(path: string, password: Uint8Array): Promise<Signer> {
  await writeEncrypted(path, newKey(), password);
  return openKeyFile(path, password);
}

/** Writes a PKCS#8 key under this password, and wipes it. @throws LinesideError `file-exists`, `directory-unwritable` */
export async function writeEncrypted(path: string, pkcs8: Buffer, password: Uint8Array): Promise<void> {
  try {
    await writeNewFile(path, formatPem('ENCRYPTED PRIVATE KEY', encryptKey(pkcs8, password)));
  } finally {
    pkcs8.fill(0);
  }
}

/**
 * Makes a P-256 key and writes it as it is, for a broker that has none; whoever reads the file has it.
 * @returns its public point
 * @throws LinesideError `file-exists`, `directory-unwritable`
 */
export async function createPlainKeyFile(path: string): Promise<Uint8Array> {
  const pkcs8 = newKey();
  const { publicKey } = softwareSigner(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  await writeNewFile(path, formatPem('PRIVATE KEY', pkcs8)).finally(() => pkcs8.fill(0));
  return publicKey;
}

/** @throws LinesideError `key-unreadable`, `key-invalid`, `wrong-password` */
export async function openKeyFile(path: string, password: Uint8Array): Promise<Signer> {
  const key = await readEncrypted(path, password);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new LinesideError('key-invalid', { path, reason: 'it is not a P-256 key' });
  return softwareSigner(key);
}

/** Any kind of key. @throws LinesideError `key-unreadable`, `key-invalid`, `wrong-password` */
export async function readEncrypted(path: string, password: Uint8Array): Promise<KeyObject> {
  const text = await readFile(path, 'latin1').catch((cause: unknown) => {
    throw new LinesideError('key-unreadable', { path, reason: systemWords(cause) }, { cause });
  });
  const [der, ...others] = parsePem('ENCRYPTED PRIVATE KEY', text) ?? [];
  if (!der || others.length > 0)
    throw new LinesideError('key-invalid', { path, reason: 'it is not an encrypted PKCS#8 key' });
  const passphrase = Buffer.from(password.buffer, password.byteOffset, password.length);
  return decrypt(path, Buffer.from(der), passphrase);
}

/** What AES makes of a wrong key is noise: its padding is wrong, or by chance right and then it is no key. */
function decrypt(path: string, key: Buffer, passphrase: Buffer): KeyObject {
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8', passphrase });
  } catch (cause) {
    throw new LinesideError('wrong-password', { path }, { cause });
  }
}

function newKey(): Buffer {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  }).privateKey;
}
