import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** SubjectPublicKeyInfo of an uncompressed P-256 point, without the point (RFC 5480 2.1.1, 2.2). */
const spkiPrefix = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** Length of an uncompressed point, 04‖X‖Y (SEC 1 2.3.3). */
export const pointLength = 65;

/** SubjectPublicKeyInfo DER, 91 bytes, of an uncompressed P-256 point. */
export function subjectPublicKeyInfo(point: Uint8Array): Uint8Array {
  return Buffer.concat([spkiPrefix, point]);
}

/** SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hex digits: the name of a key everywhere in lineside. */
export function spkiSha256(point: Uint8Array): string {
  return createHash('sha256').update(subjectPublicKeyInfo(point)).digest('hex');
}

/**
 * The key object of an uncompressed point, undefined if the point is not on the curve. Through JWK because
 * OpenSSL reads that a third faster than SPKI, and checks the point as well.
 */
export function importPublicKey(point: Uint8Array): KeyObject | undefined {
  const coordinate = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url');
  if (point.length !== pointLength || point[0] !== 4) return undefined;
  try {
    const key = { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) };
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return undefined; // OpenSSL's one answer to an off-curve point
  }
}
