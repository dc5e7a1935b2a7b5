import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { pointLength } from '../public-key.ts';

/** A CA's P-256 key, wherever it lies: in an encrypted file or in a token. */
export interface Signer {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** ECDSA with SHA-256 over a message, as the DER of RFC 3279 2.2.3. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** The key object is made once: reading a key costs many times what a signature costs. */
export function softwareSigner(key: KeyObject): Signer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: new Uint8Array(spki.subarray(-pointLength)),
    sign: async (message) => sign('sha256', message, key),
  };
}
