import { createECDH, createHash } from 'node:crypto';
import * as asn1js from 'asn1js';

/** The order of P-256 (SEC 2, 2.4.2). */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Numbers that were in memory while `csr` was signed, each of which gives the key away to whoever has the signature:
 * from s = k⁻¹(e + r·d) mod n (FIPS 186-5 section 6.4.1).
 */
export function signingSecrets(csr: Uint8Array, privateKey: Uint8Array): Record<string, Buffer> {
  const { digest, r, s } = signatureOf(csr);
  const product = (r * numberOf(privateKey)) % n;
  const inverseNonce = (s * inverse((digest + product) % n)) % n;
  const nonce = bytesOf(inverse(inverseNonce));
  if (xOfPoint(nonce) % n !== r) throw new Error('not the key that signed this request');
  return { nonce, 'inverse of the nonce': bytesOf(inverseNonce), r·d: bytesOf(product) };
}

function signatureOf(csr: Uint8Array): { digest: bigint; r: bigint; s: bigint } {
  const [signed, , bits] = sequence(csr);
  if (!signed || !(bits instanceof asn1js.BitString)) throw new Error('not a certificate request');
  const [r, s] = sequence(bits.valueBlock.valueHexView);
  if (!(r instanceof asn1js.Integer) || !(s instanceof asn1js.Integer)) throw new Error('not ECDSA');
  const digest = createHash('sha256').update(signed.valueBeforeDecodeView).digest();
  return {
    digest: numberOf(digest),
    r: numberOf(r.valueBlock.valueHexView),
    s: numberOf(s.valueBlock.valueHexView),
  };
}

function sequence(der: Uint8Array): asn1js.AsnType[] {
  const { result } = asn1js.fromBER(der);
  if (!(result instanceof asn1js.Sequence)) throw new Error('not a sequence');
  return result.valueBlock.value;
}

/** By Fermat: n is prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let square = value % n;
  for (let exponent = n - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % n;
    square = (square * square) % n;
  }
  return result;
}

function xOfPoint(scalar: Buffer): bigint {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  return numberOf(pair.getPublicKey().subarray(1, 33));
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}
