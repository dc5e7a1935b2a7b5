import { type KeyObject, X509Certificate } from 'node:crypto';
import { type CertificateFields, readCertificate } from './certificate-fields.ts';
import { cursor, DerError, element, end, read, readWhole, tag } from './der.ts';
import { type DeviceId, parseDeviceId } from './device.ts';
import { readDeviceName } from './device-name.ts';
import { isEcdsaWithSha256, verifyElsewhere } from './ecdsa.ts';
import { LinesideError } from './errors.ts';

/** Why a certificate that came from the CA is not taken (design section 6). */
export const certificateRules = {
  'not-der': 'it is not DER of the shape RFC 5280 gives',
  'too-large': 'it is over 4,096 bytes',
  'unknown-device': 'its subject is no device of this station',
  subject: 'its subject is not the one that was asked for',
  key: 'its key is not the one that was asked for',
  constraints: 'it does not say, critically, that it is no CA',
  usage: 'its key usage is not, critically, digitalSignature alone',
  purpose: 'its purpose is not clientAuth alone',
  'signature-algorithm': 'its signature is not ecdsa-with-SHA256',
  'issuer-key': 'the key it says it was signed with is not that of the first certificate of the chain',
  issuer: 'the first certificate of the chain did not issue it',
  chain: 'the chain is not 1 to 8 certificates of which each issued the one before, up to a root',
  anchor: 'the trust anchors for brokers are not 1 to 8 CA certificates',
} as const;
type CertificateRule = keyof typeof certificateRules;

const maximumLength = 4096;
/** More of them do not fit on the page of a device. */
const maximumCount = 8;

/** Types of extensions, contents of the OBJECT IDENTIFIER (RFC 5280 4.2.1). */
const type = {
  subjectKeyIdentifier: '551d0e',
  usage: '551d0f',
  constraints: '551d13',
  authorityKeyIdentifier: '551d23',
  purpose: '551d25',
} as const;

/**
 * Extensions of a device, whole and in DER: type, critical, value (RFC 5280 4.2.1.3, 9, 12). Compared as bytes: what
 * OpenSSL makes of them is not what they say (to it a certificate with CA:TRUE and another key usage is no CA).
 */
const deviceExtensions = {
  constraints: '300c0603551d130101ff04023000', // CA:FALSE
  usage: '300e0603551d0f0101ff040403020780', // digitalSignature
  purpose: '30130603551d25040c300a06082b06010505070302', // clientAuth
} as const;

/** A chain that holds, as far as it takes to see what it issued: the first certificate, read once for all devices. */
export interface Chain {
  /** Its Name whole: the issuer in each certificate of a device, byte for byte (RFC 5280 4.1.2.6). */
  readonly issuer: Uint8Array;
  /** The authority key identifier of each, whole and in hex; undefined if the issuer has no subject key identifier. */
  readonly authorityKeyIdentifier: string | undefined;
  readonly key: KeyObject;
}

/** @throws LinesideError `certificate-refused` */
export function verifyChain(ders: readonly Uint8Array[]): Chain {
  const chain = ders.map((der) => caCertificate(der, 'chain'));
  const [first] = chain;
  if (first === undefined || chain.length > maximumCount) throw certificateRefusal('chain');
  chain.forEach(({ certificate }, at) => {
    const issuer = chain[at + 1]?.certificate ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw certificateRefusal('chain');
  });
  const { subject, extensions } = first.fields;
  const keyIdentifier = extensions.get(type.subjectKeyIdentifier);
  return {
    issuer: subject,
    authorityKeyIdentifier: keyIdentifier && authorityKeyIdentifier(keyIdentifier),
    key: first.certificate.publicKey,
  };
}

/** @throws LinesideError `certificate-refused` */
export function verifyAnchors(ders: readonly Uint8Array[]): void {
  if (ders.length === 0 || ders.length > maximumCount) throw certificateRefusal('anchor');
  for (const der of ders) caCertificate(der, 'anchor');
}

/**
 * Which device its subject says it is; only `verifyCertificate` shows that this is true.
 * @throws LinesideError `certificate-refused`
 */
export function claimedId(der: Uint8Array): DeviceId {
  const { subject } = fieldsOf(der);
  const name = strictly(() => readDeviceName(read(cursor(subject), tag.sequence)));
  try {
    return parseDeviceId(name ?? '');
  } catch (cause) {
    throw certificateRefusal('unknown-device', cause);
  }
}

/**
 * Makes sure that a certificate is what the device's own request asked for, byte by byte in subject and key, and that
 * the chain issued it. Whether its time has come is not asked: the clock of a PC without a network is only a claim.
 * Another thread verifies the signature.
 * @returns its serial number, upper-case hex digits
 * @throws LinesideError `certificate-refused`, fact `rule` in words and `name` one of `certificateRules`
 */
export async function verifyCertificate(der: Uint8Array, csr: Uint8Array, chain: Chain): Promise<string> {
  const told = fieldsOf(der);
  const asked = strictly(() => requestFields(csr));
  if (!equal(told.subject, asked.subject)) throw certificateRefusal('subject');
  if (!equal(told.publicKeyInfo, asked.publicKeyInfo)) throw certificateRefusal('key');
  for (const rule of ['constraints', 'usage', 'purpose'] as const)
    if (told.extensions.get(type[rule]) !== deviceExtensions[rule]) throw certificateRefusal(rule);
  if (!isEcdsaWithSha256(told.algorithm)) throw certificateRefusal('signature-algorithm');
  if (!equal(told.issuer, chain.issuer)) throw certificateRefusal('issuer');
  if (told.extensions.get(type.authorityKeyIdentifier) !== chain.authorityKeyIdentifier)
    throw certificateRefusal('issuer-key');
  if (!(await verifyElsewhere({ ...told, key: chain.key }))) throw certificateRefusal('issuer');
  return told.serial;
}

/** RFC 5280 4.2.1.1: the issuer's subject key identifier, and nothing else. */
function authorityKeyIdentifier(subjectKeyIdentifier: string): string {
  const keyIdentifier = strictly(() => {
    const extension = cursor(read(cursor(Buffer.from(subjectKeyIdentifier, 'hex')), tag.sequence));
    read(extension, tag.objectIdentifier);
    const value = cursor(read(extension, tag.octetString));
    const octets = read(value, tag.octetString);
    end(value);
    return octets;
  });
  const value = element(tag.sequence, element(tag.keyIdentifier, keyIdentifier));
  const oid = element(tag.objectIdentifier, Buffer.from(type.authorityKeyIdentifier, 'hex'));
  return element(tag.sequence, oid, element(tag.octetString, value)).toString('hex');
}

interface CaCertificate {
  readonly fields: CertificateFields;
  readonly certificate: X509Certificate;
}

function caCertificate(der: Uint8Array, rule: CertificateRule): CaCertificate {
  const fields = fieldsOf(der);
  const certificate = x509(der);
  if (!certificate.ca) throw certificateRefusal(rule);
  return { fields, certificate };
}

function x509(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw certificateRefusal('not-der', cause);
  }
}

function fieldsOf(der: Uint8Array): CertificateFields {
  if (der.length > maximumLength) throw certificateRefusal('too-large');
  return strictly(() => readCertificate(der));
}

function strictly<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof DerError) throw certificateRefusal('not-der', cause);
    throw cause;
  }
}

/** RFC 2986 4.1 */
function requestFields(der: Uint8Array): Pick<CertificateFields, 'subject' | 'publicKeyInfo'> {
  const request = cursor(read(cursor(der), tag.sequence));
  const info = cursor(read(request, tag.sequence));
  read(info, tag.integer); // version
  return { subject: readWhole(info, tag.sequence), publicKeyInfo: readWhole(info, tag.sequence) };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

export function certificateRefusal(name: CertificateRule, cause?: unknown): LinesideError {
  return new LinesideError('certificate-refused', { rule: certificateRules[name], name }, { cause });
}
