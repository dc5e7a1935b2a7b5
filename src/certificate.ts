import { X509Certificate } from 'node:crypto';
import {
  type Cursor,
  cursor,
  DerError,
  end,
  nextTag,
  read,
  readPositiveInteger,
  readWhole,
  tag,
} from './der.ts';
import { type DeviceId, parseDeviceId } from './device.ts';
import { LinesideError } from './errors.ts';

/** Why a certificate that came from the CA is not taken (design section 6). */
const certificateRules = {
  'not-der': 'it is not DER of the shape RFC 5280 gives',
  'too-large': 'it is over 4,096 bytes',
  'unknown-device': 'its subject is no device of this station',
  subject: 'its subject is not the one that was asked for',
  key: 'its key is not the one that was asked for',
  constraints: 'it does not say, critically, that it is no CA',
  usage: 'its key usage is not, critically, digitalSignature alone',
  purpose: 'its purpose is not clientAuth alone',
  issuer: 'the first certificate of the chain did not issue it',
  chain: 'the chain is not 1 to 8 certificates of which each issued the one before, up to a root',
  anchor: 'the trust anchors for brokers are not 1 to 8 CA certificates',
} as const;
type CertificateRule = keyof typeof certificateRules;

const maximumLength = 4096;
/** More of them do not fit on the page of a device. */
const maximumCount = 8;

/**
 * Extensions of a device, whole and in DER: type, critical, value (RFC 5280 4.2.1.3, 9, 12). Compared as bytes: what
 * OpenSSL makes of them is not what they say (to it a certificate with CA:TRUE and another key usage is no CA).
 */
const deviceExtensions = {
  constraints: '300c0603551d130101ff04023000', // CA:FALSE
  usage: '300e0603551d0f0101ff040403020780', // digitalSignature
  purpose: '30130603551d25040c300a06082b06010505070302', // clientAuth
} as const;

/** A chain that holds: the issuer of the devices first, the root last. */
export type Chain = readonly [X509Certificate, ...X509Certificate[]];

/** @throws LinesideError `certificate-refused` */
export function verifyChain(ders: readonly Uint8Array[]): Chain {
  const [first, ...others] = ders.map((der) => caCertificate(der, 'chain'));
  if (first === undefined || ders.length > maximumCount) throw certificateRefusal('chain');
  const chain: Chain = [first, ...others];
  chain.forEach((certificate, at) => {
    if (!isIssuedBy(certificate, chain[at + 1] ?? certificate)) throw certificateRefusal('chain');
  });
  return chain;
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
  const [, id = ''] = /^CN=([0-9A-F]{8})\nserialNumber=\1$/.exec(parse(der).subject) ?? [];
  try {
    return parseDeviceId(id);
  } catch (cause) {
    throw certificateRefusal('unknown-device', cause);
  }
}

/**
 * Makes sure that a certificate is what the device's own request asked for, byte by byte in subject and key, and that
 * the chain issued it. Whether its time has come is not asked: the clock of a PC without a network is only a claim.
 * @returns its serial number, upper-case hex digits
 * @throws LinesideError `certificate-refused`, fact `rule` in words and `name` one of `certificateRules`
 */
export function verifyCertificate(der: Uint8Array, csr: Uint8Array, [issuer]: Chain): string {
  const certificate = parse(der);
  const told = identityOf(() => certificateIdentity(der));
  const asked = identityOf(() => requestIdentity(csr));
  if (!told.subject.equals(asked.subject)) throw certificateRefusal('subject');
  if (!told.publicKey.equals(asked.publicKey)) throw certificateRefusal('key');
  for (const rule of ['constraints', 'usage', 'purpose'] as const)
    if (!told.extensions.includes(deviceExtensions[rule])) throw certificateRefusal(rule);
  if (!isIssuedBy(certificate, issuer)) throw certificateRefusal('issuer');
  return certificate.serialNumber;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function caCertificate(der: Uint8Array, rule: CertificateRule): X509Certificate {
  const certificate = parse(der);
  if (!certificate.ca) throw certificateRefusal(rule);
  return certificate;
}

/** X509Certificate also reads PEM, and what follows a certificate; neither is DER. */
function parse(der: Uint8Array): X509Certificate {
  if (der.length > maximumLength) throw certificateRefusal('too-large');
  identityOf(() => certificateIdentity(der));
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw certificateRefusal('not-der', cause);
  }
}

interface Identity {
  readonly subject: Buffer;
  readonly publicKey: Buffer;
  /** Each whole, in hex. */
  readonly extensions: readonly string[];
}

function identityOf(work: () => Identity): Identity {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof DerError) throw certificateRefusal('not-der', cause);
    throw cause;
  }
}

/** RFC 5280 4.1 */
function certificateIdentity(der: Uint8Array): Identity {
  const fields = signedPart(der);
  read(fields, tag.version);
  readPositiveInteger(fields);
  read(fields, tag.sequence); // signature algorithm
  read(fields, tag.sequence); // issuer
  read(fields, tag.sequence); // validity
  const identity = subjectAndKey(fields);
  return { ...identity, extensions: nextTag(fields) === tag.extensions ? readExtensions(fields) : [] };
}

/** One extension of a type at the most: a second one could say the opposite. */
function readExtensions(fields: Cursor): string[] {
  const explicit = cursor(read(fields, tag.extensions));
  const list = cursor(read(explicit, tag.sequence));
  end(explicit);
  end(fields);
  const found = new Map<string, string>();
  while (list.at < list.bytes.length) {
    const whole = readWhole(list, tag.sequence);
    const extension = cursor(read(cursor(whole), tag.sequence));
    const type = Buffer.from(read(extension, tag.objectIdentifier)).toString('hex');
    if (found.has(type)) throw new DerError('an extension twice');
    found.set(type, Buffer.from(whole).toString('hex'));
  }
  return [...found.values()];
}

/** RFC 2986 4.1 */
function requestIdentity(der: Uint8Array): Identity {
  const fields = signedPart(der);
  read(fields, tag.integer); // version
  return subjectAndKey(fields);
}

function signedPart(der: Uint8Array): Cursor {
  const outer = cursor(der);
  const signed = cursor(read(outer, tag.sequence));
  end(outer);
  return cursor(read(signed, tag.sequence));
}

function subjectAndKey(fields: Cursor): Identity {
  const subject = Buffer.from(readWhole(fields, tag.sequence));
  return { subject, publicKey: Buffer.from(readWhole(fields, tag.sequence)), extensions: [] };
}

export function certificateRefusal(name: CertificateRule, cause?: unknown): LinesideError {
  return new LinesideError('certificate-refused', { rule: certificateRules[name], name }, { cause });
}
