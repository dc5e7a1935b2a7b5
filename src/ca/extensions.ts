import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

/** The extensions of RFC 5280 4.2.1 that our certificates carry, and no others. */

const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** SHA-1 of the public point (RFC 5280 4.2.1.2 method 1, which Matter asks for too): a name for a key, no proof. */
export function keyIdentifier(publicKey: Uint8Array): Uint8Array {
  return createHash('sha1').update(publicKey).digest();
}

export function authorityKeyIdentifier(issuerKey: Uint8Array): pkijs.Extension {
  const keyId = new asn1js.OctetString({ valueHex: keyIdentifier(issuerKey) });
  const value = new pkijs.AuthorityKeyIdentifier({ keyIdentifier: keyId }).toSchema();
  return extension(oid.authorityKeyIdentifier, 'non-critical', value);
}

export function subjectKeyIdentifier(publicKey: Uint8Array): pkijs.Extension {
  const value = new asn1js.OctetString({ valueHex: keyIdentifier(publicKey) });
  return extension(oid.subjectKeyIdentifier, 'non-critical', value);
}

/** `pathLength` null means any number of CAs below this one. */
export function authorityConstraints(pathLength: number | null): pkijs.Extension {
  const length = pathLength === null ? {} : { pathLenConstraint: pathLength };
  const value = new pkijs.BasicConstraints({ cA: true, ...length }).toSchema();
  return extension(oid.basicConstraints, 'critical', value);
}

/** CA:FALSE, which in DER is the absence of the default. */
export function leafConstraints(): pkijs.Extension {
  return extension(oid.basicConstraints, 'critical', new pkijs.BasicConstraints({ cA: false }).toSchema());
}

/** Bits 5 and 6: keyCertSign and cRLSign. */
export function authorityKeyUsage(): pkijs.Extension {
  return extension(oid.keyUsage, 'critical', bits(0x06, 1));
}

/** Bit 0: digitalSignature, all that TLS 1.3 needs (RFC 8446 4.4.2.2). */
export function leafKeyUsage(): pkijs.Extension {
  return extension(oid.keyUsage, 'critical', bits(0x80, 7));
}

export function extendedKeyUsage(purpose: 'clientAuth' | 'serverAuth'): pkijs.Extension {
  const value = new pkijs.ExtKeyUsage({ keyPurposes: [oid[purpose]] }).toSchema();
  return extension(oid.extKeyUsage, 'non-critical', value);
}

export function dnsNames(names: readonly string[]): pkijs.Extension {
  const dNSName = 2;
  const list = names.map((value) => new pkijs.GeneralName({ type: dNSName, value }));
  return extension(oid.subjectAltName, 'non-critical', new pkijs.GeneralNames({ names: list }).toSchema());
}

function bits(octet: number, unusedBits: number): asn1js.BitString {
  return new asn1js.BitString({ valueHex: Uint8Array.of(octet), unusedBits });
}

function extension(
  extnID: string,
  mark: 'critical' | 'non-critical',
  value: asn1js.BaseBlock,
): pkijs.Extension {
  return new pkijs.Extension({ extnID, critical: mark === 'critical', extnValue: value.toBER() });
}
