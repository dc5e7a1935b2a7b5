import { createHash } from 'node:crypto';

/*
 * RFC 6962 section 2.1 written down as it stands there, recursively, and with nothing of src: what the product must
 * agree with.
 */

const sha256 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** "Let k be the largest power of two smaller than n" */
function largestPowerOfTwoBelow(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH(D[n]) */
export function treeHash(d: readonly Uint8Array[]): Buffer {
  const [only] = d;
  if (only === undefined) return sha256();
  if (d.length === 1) return sha256(Buffer.of(0x00), only);
  const k = largestPowerOfTwoBelow(d.length);
  return sha256(Buffer.of(0x01), treeHash(d.slice(0, k)), treeHash(d.slice(k)));
}

/** PATH(m, D[n]) */
export function auditPath(m: number, d: readonly Uint8Array[]): Buffer[] {
  if (d.length === 1) return [];
  const k = largestPowerOfTwoBelow(d.length);
  return m < k
    ? [...auditPath(m, d.slice(0, k)), treeHash(d.slice(k))]
    : [...auditPath(m - k, d.slice(k)), treeHash(d.slice(0, k))];
}

/** PROOF(m, D[n]) */
export function consistency(m: number, d: readonly Uint8Array[]): Buffer[] {
  return subProof(m, d, true);
}

function subProof(m: number, d: readonly Uint8Array[], whole: boolean): Buffer[] {
  if (m === d.length) return whole ? [] : [treeHash(d)];
  const k = largestPowerOfTwoBelow(d.length);
  return m <= k
    ? [...subProof(m, d.slice(0, k), whole), treeHash(d.slice(k))]
    : [...subProof(m - k, d.slice(k), false), treeHash(d.slice(0, k))];
}
