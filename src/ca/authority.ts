import { encodeName, type Name } from './name.ts';
import { authorityTbs, type Issuer } from './profile.ts';
import { randomSerial } from './serial.ts';
import { signed } from './signed.ts';
import type { Signer } from './signer.ts';
import { forever } from './validity.ts';

/** A CA that can sign. */
export interface Authority {
  readonly issuer: Issuer;
  readonly signer: Signer;
  /** X.509 DER. */
  readonly certificate: Uint8Array;
}

/**
 * A CA that is its own trust anchor. Certificates of CAs have no end either: they must outlive what they issue, and a
 * device without a clock would not see it; a CA ends by being taken from the trust stores (RFC 5280 4.1.2.5).
 */
export async function makeRoot(name: Name, signer: Signer, now: Date): Promise<Authority> {
  const issuer = { name: encodeName(name), publicKey: signer.publicKey };
  return certify(issuer, signer, issuer, signer, null, now);
}

/** A CA below a root, and none below it. */
export async function makeIntermediate(
  root: Authority,
  name: Name,
  signer: Signer,
  now: Date,
): Promise<Authority> {
  const own = { name: encodeName(name), publicKey: signer.publicKey };
  return certify(root.issuer, root.signer, own, signer, 0, now);
}

async function certify(
  by: Issuer,
  bySigner: Signer,
  own: Issuer,
  ownSigner: Signer,
  pathLength: number | null,
  now: Date,
): Promise<Authority> {
  const validity = { notBefore: now, notAfter: forever };
  const subject = { serial: randomSerial(), validity, publicKey: own.publicKey };
  const certificate = await signed(authorityTbs(by, subject, own.name, pathLength), bySigner);
  return { issuer: own, signer: ownSigner, certificate };
}
