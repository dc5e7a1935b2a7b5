import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { subjectPublicKeyInfo } from '../public-key.ts';
import {
  authorityConstraints,
  authorityKeyIdentifier,
  authorityKeyUsage,
  dnsNames,
  extendedKeyUsage,
  leafConstraints,
  leafKeyUsage,
  subjectKeyIdentifier,
} from './extensions.ts';
import { encodeName, type Name } from './name.ts';
import { time, type Validity } from './validity.ts';

/**
 * The certificate profile: what is in each kind of certificate, and nothing else is. pkijs does the encoding.
 * `rfc5280` and `matter` add the subject key identifier to device certificates, which draft-ietf-uta-tls13-iot-profile
 * forbids, RFC 5280 4.2.1.2 recommends and Matter requires.
 */
export const deviceProfiles = {
  default: { subjectKeyIdentifier: false },
  rfc5280: { subjectKeyIdentifier: true },
  matter: { subjectKeyIdentifier: true },
} as const;
export type DeviceProfile = keyof typeof deviceProfiles;

/** Who signs. */
export interface Issuer {
  /** Name DER, byte for byte the subject of the issuer's own certificate. */
  readonly name: Uint8Array;
  /** Uncompressed point. */
  readonly publicKey: Uint8Array;
}

/** What is different from one certificate to the next of its kind. */
export interface Subject {
  readonly serial: Uint8Array;
  readonly validity: Validity;
  /** Uncompressed point. */
  readonly publicKey: Uint8Array;
}

/** TBSCertificate DER of a device. CN is what MQTT brokers read, serialNumber what 802.1AR asks for. */
export function deviceTbs(issuer: Issuer, subject: Subject, id: string, profile: DeviceProfile): Uint8Array {
  const name: Name = [
    ['commonName', id],
    ['serialNumber', id],
  ];
  const keyId = deviceProfiles[profile].subjectKeyIdentifier ? [subjectKeyIdentifier(subject.publicKey)] : [];
  return toBeSigned(issuer, subject, encodeName(name), [
    leafConstraints(),
    leafKeyUsage(),
    extendedKeyUsage('clientAuth'),
    authorityKeyIdentifier(issuer.publicKey),
    ...keyId,
  ]);
}

/**
 * TBSCertificate DER of a broker. Its host names are in the SAN alone: a CN with a host name is what RFC 9525 2
 * has done away with.
 */
export function brokerTbs(issuer: Issuer, subject: Subject, name: Name, dns: readonly string[]): Uint8Array {
  return toBeSigned(issuer, subject, encodeName(name), [
    leafConstraints(),
    leafKeyUsage(),
    extendedKeyUsage('serverAuth'),
    dnsNames(dns),
    authorityKeyIdentifier(issuer.publicKey),
    subjectKeyIdentifier(subject.publicKey),
  ]);
}

/** TBSCertificate DER of a CA; a root is its own issuer. `pathLength` as in `authorityConstraints`. */
export function authorityTbs(
  issuer: Issuer,
  subject: Subject,
  name: Uint8Array,
  pathLength: number | null,
): Uint8Array {
  return toBeSigned(issuer, subject, name, [
    authorityConstraints(pathLength),
    authorityKeyUsage(),
    authorityKeyIdentifier(issuer.publicKey),
    subjectKeyIdentifier(subject.publicKey),
  ]);
}

function toBeSigned(
  issuer: Issuer,
  subject: Subject,
  name: Uint8Array,
  extensions: pkijs.Extension[],
): Uint8Array {
  const certificate = new pkijs.Certificate({
    version: 2, // v3
    serialNumber: new asn1js.Integer({ valueHex: subject.serial }),
    signature: new pkijs.AlgorithmIdentifier({ algorithmId: '1.2.840.10045.4.3.2' }),
    issuer: pkijs.RelativeDistinguishedNames.fromBER(issuer.name),
    notBefore: time(subject.validity.notBefore),
    notAfter: time(subject.validity.notAfter),
    subject: pkijs.RelativeDistinguishedNames.fromBER(name),
    subjectPublicKeyInfo: pkijs.PublicKeyInfo.fromBER(subjectPublicKeyInfo(subject.publicKey)),
    extensions,
  });
  return new Uint8Array(certificate.encodeTBS().toBER());
}
