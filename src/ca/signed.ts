import { element, tag } from '../der.ts';
import type { Signer } from './signer.ts';

/** AlgorithmIdentifier of ecdsa-with-SHA256; the parameters are absent (RFC 5758 3.2). */
export const ecdsaWithSha256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

/** What is to be signed, the algorithm, the signature: the shape of certificates and CRLs (RFC 5280 4.1, 5.1). */
export async function signed(tbs: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const signature = await signer.sign(tbs);
  const bits = element(tag.bitString, Buffer.of(0), signature);
  return new Uint8Array(element(tag.sequence, tbs, ecdsaWithSha256, bits));
}
