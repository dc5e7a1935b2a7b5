import { createHash } from 'node:crypto';
import { LinesideError } from '../errors.ts';

/** Guessing what 12 bytes hold at a tenth of a second each is out of reach unless it is a known phrase. */
const leastLength = 12;
/** OpenSSL's own limit is 1,024. */
const greatestLength = 512;

/** A new password must have 12 to 512 bytes. @throws LinesideError `password-length` */
export function mustBeGoodPassword(password: Uint8Array): void {
  if (password.length >= leastLength && password.length <= greatestLength) return;
  throw new LinesideError('password-length', { least: leastLength, greatest: greatestLength });
}

/**
 * One password out of two, which neither of the two persons can do without: SHA-256 over the SHA-256 of each, in hex
 * so that it can be typed at openssl (docs/ca-ceremony.md has the shell line). Wipes what it was given.
 */
export function jointPassword(first: Uint8Array, second: Uint8Array): Uint8Array {
  const hashes = [first, second].map((each) => createHash('sha256').update(each).digest());
  const joint = createHash('sha256').update(Buffer.concat(hashes)).digest();
  const hex = Buffer.alloc(64);
  joint.forEach((byte, at) => hex.write(byte.toString(16).padStart(2, '0'), at * 2, 'latin1'));
  for (const each of [first, second, ...hashes, joint]) each.fill(0);
  return hex;
}
