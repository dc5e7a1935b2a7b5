import { type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';

/** Contents of the AlgorithmIdentifier ecdsa-with-SHA256; its parameters are absent (RFC 5758 3.2). */
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex');

export function isEcdsaWithSha256(algorithm: Uint8Array): boolean {
  return ecdsaWithSha256.equals(algorithm);
}

/** Something signed with ecdsa-with-SHA256, by whoever has the other half of the key, or not: to be verified. */
export interface Signed {
  readonly message: Uint8Array;
  /** ECDSA-Sig-Value DER (RFC 3279 2.2.3). */
  readonly signature: Uint8Array;
  readonly key: KeyObject;
}

/** Whether the signature holds, found out on this thread. */
export function verifyHere({ message, signature, key }: Signed): boolean {
  return verify('sha256', message, key, signature);
}

/** Whether the signature holds, found out on one of libuv's threads, so that every core has its share. */
export function verifyElsewhere({ message, signature, key }: Signed): Promise<boolean> {
  return verifyAsync('sha256', message, key, signature);
}

const verifyAsync = promisify(verify);
