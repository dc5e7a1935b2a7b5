import { element, tag } from '../der.ts';
import { authorityKeyIdentifier } from './extensions.ts';
import type { Issuer } from './profile.ts';
import { ecdsaWithSha256 } from './signed.ts';
import { time } from './validity.ts';

/**
 * Reasons a certificate is revoked for (RFC 5280 5.3.1). Without certificateHold, which would have to be taken back,
 * and without those of CAs and attribute authorities.
 */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type RevocationReason = keyof typeof revocationReasons;

export interface Revocation {
  readonly serial: Uint8Array;
  readonly at: Date;
  readonly reason: RevocationReason;
}

export interface CrlPeriod {
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

const cRLNumber = Buffer.from('0603551d14', 'hex');
const reasonCode = Buffer.from('0603551d15', 'hex');
const version2 = Buffer.from('020101', 'hex');

/**
 * TBSCertList DER (RFC 5280 5.1). By hand and not by pkijs, which takes twelve times as long and cannot read its own
 * list of 10,000 entries back.
 */
export function crlTbs(
  issuer: Issuer,
  number: number,
  period: CrlPeriod,
  revocations: readonly Revocation[],
): Uint8Array {
  const entries = revocations.map(encodeEntry);
  const revoked = entries.length === 0 ? [] : [element(tag.sequence, ...entries)]; // absent when empty, 5.1.2.6
  const keyId = new Uint8Array(authorityKeyIdentifier(issuer.publicKey).toSchema().toBER());
  return element(
    tag.sequence,
    version2,
    ecdsaWithSha256,
    issuer.name,
    encodeTime(period.thisUpdate),
    encodeTime(period.nextUpdate),
    ...revoked,
    element(tag.crlExtensions, element(tag.sequence, keyId, extension(cRLNumber, integer(number)))),
  );
}

function encodeEntry({ serial, at, reason }: Revocation): Uint8Array {
  const code = revocationReasons[reason];
  const stated = extension(reasonCode, element(tag.enumerated, Buffer.of(code)));
  const extensions = code === 0 ? [] : [element(tag.sequence, stated)]; // unspecified is left out, 5.3.1
  return element(tag.sequence, element(tag.integer, serial), encodeTime(at), ...extensions);
}

/** Not critical, which in DER is the absence of the default. */
function extension(oid: Uint8Array, value: Uint8Array): Uint8Array {
  return element(tag.sequence, oid, element(tag.octetString, value));
}

function integer(value: number): Uint8Array {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const [first = 0] = bytes;
  return element(tag.integer, first < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]));
}

function encodeTime(date: Date): Uint8Array {
  return new Uint8Array(time(date).toSchema().toBER());
}
