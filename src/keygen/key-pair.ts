import { createECDH, createSign, createVerify } from 'node:crypto';
import { importPublicKey, pointLength } from '../public-key.ts';
import type { SecretArena } from '../secret.ts';

/** A P-256 key pair whose private half lies in a `SecretArena` and is gone when that is wiped. */
export interface KeyPair {
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** The scalar, 32 bytes big-endian: a view into the arena. */
  readonly privateKey: Uint8Array;
  /** ECDSA with SHA-256, as r‖s, 64 bytes (IEEE P1363). */
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** PKCS#8 of a P-256 key (RFC 5958, RFC 5915) up to the scalar, and from the scalar to the public point. */
const pkcs8Head = Buffer.from(
  '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420',
  'hex',
);
const pkcs8Middle = Buffer.from('a144034200', 'hex');
const scalarLength = 32;

/** Loaded into the generator after use: OpenSSL cleanses the real scalar at once instead of when collected. */
const dummyScalar = Buffer.alloc(scalarLength, 1);
const generator = createECDH('prime256v1');

/**
 * Makes a key pair in `arena`. The order is what leaves no copy behind: the DER form is written in place, OpenSSL
 * alone computes with it, and the one intermediate buffer is wiped before anything else can happen.
 * @throws Error when the pair does not pass its own sign and verify (FIPS 140-3 pairwise consistency)
 */
export function makeKeyPair(arena: SecretArena): KeyPair {
  const pkcs8 = arena.take(pkcs8Head.length + scalarLength + pkcs8Middle.length + pointLength);
  const privateKey = pkcs8.subarray(pkcs8Head.length, pkcs8Head.length + scalarLength);
  pkcs8.set(pkcs8Head);
  const publicKey = Buffer.from(generator.generateKeys());
  const scalar = generator.getPrivateKey();
  privateKey.set(scalar, scalarLength - scalar.length); // OpenSSL drops leading zero bytes
  scalar.fill(0);
  generator.setPrivateKey(dummyScalar);
  pkcs8.set(pkcs8Middle, pkcs8Head.length + scalarLength);
  pkcs8.set(publicKey, pkcs8.length - pointLength);

  const pair = { publicKey, privateKey, sign: (message: Uint8Array) => signWith(pkcs8, message) };
  provePair(pair);
  return pair;
}

function signWith(pkcs8: Uint8Array<ArrayBuffer>, message: Uint8Array): Uint8Array {
  const key = Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length);
  const signer = createSign('sha256').update(message);
  return signer.sign({ key, format: 'der', type: 'pkcs8', dsaEncoding: 'ieee-p1363' });
}

function provePair(pair: KeyPair): void {
  const message = Buffer.from('lineside pairwise consistency test');
  const key = importPublicKey(pair.publicKey);
  const verifier = createVerify('sha256').update(message);
  if (!key || !verifier.verify({ key, dsaEncoding: 'ieee-p1363' }, pair.sign(message))) {
    throw new Error('the new key pair does not verify its own signature');
  }
}
