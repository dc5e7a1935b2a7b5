import { generateKeyPairSync } from 'node:crypto';
import { type Authority, makeIntermediate, makeRoot } from '../../src/ca/authority.ts';
import { signed } from '../../src/ca/signed.ts';
import { type Signer, softwareSigner } from '../../src/ca/signer.ts';

/** Shortly before every test that checks a certificate, so that it is valid by then. */
export const issuedAt = new Date(Date.now() - 5000);

export function newSigner(): Signer {
  return softwareSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

export function newPoint(): Uint8Array {
  return newSigner().publicKey;
}

export function selfSigned(name = 'Acme device CA'): Promise<Authority> {
  return makeRoot([['commonName', name]], newSigner(), issuedAt);
}

/** A root and a CA below it. */
export async function twoLevels(): Promise<{ root: Authority; authority: Authority }> {
  const root = await makeRoot([['commonName', 'Acme root CA']], newSigner(), issuedAt);
  const name = [['commonName', 'Acme device CA']] as const;
  return { root, authority: await makeIntermediate(root, name, newSigner(), issuedAt) };
}

export function signedBy(authority: Authority, tbs: Uint8Array): Promise<Uint8Array> {
  return signed(tbs, authority.signer);
}
