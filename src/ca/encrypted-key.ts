import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';
import { element, tag } from '../der.ts';

/*
 * EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018): PBKDF2-HMAC-SHA256 and AES-256-CBC, the form that openssl
 * and Node both read. Written here because Node's own export has 2,048 iterations and no way to ask for more.
 */

/** OWASP's figure for PBKDF2-HMAC-SHA256; a tenth of a second on a PC. */
const iterations = 600_000;
const keyLength = 32;
const saltLength = 16;
const blockLength = 16;

const pbes2 = Buffer.from('06092a864886f70d01050d', 'hex');
const pbkdf2 = Buffer.from('06092a864886f70d01050c', 'hex');
const hmacWithSha256 = Buffer.from('300c06082a864886f70d02090500', 'hex');
const aes256Cbc = Buffer.from('060960864801650304012a', 'hex');

/** `pkcs8` and `password` stay the caller's to wipe. */
export function encryptKey(pkcs8: Uint8Array, password: Uint8Array): Uint8Array {
  const [salt, iv] = [randomBytes(saltLength), randomBytes(blockLength)];
  const key = pbkdf2Sync(password, salt, iterations, keyLength, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(pkcs8), cipher.final()]);
  key.fill(0);
  return element(tag.sequence, algorithm(salt, iv), element(tag.octetString, encrypted));
}

function algorithm(salt: Uint8Array, iv: Uint8Array): Uint8Array {
  const count = element(tag.integer, Buffer.from(iterations.toString(16).padStart(6, '0'), 'hex'));
  const derivation = element(tag.sequence, element(tag.octetString, salt), count, hmacWithSha256);
  return element(
    tag.sequence,
    pbes2,
    element(
      tag.sequence,
      element(tag.sequence, pbkdf2, derivation),
      element(tag.sequence, aes256Cbc, element(tag.octetString, iv)),
    ),
  );
}
