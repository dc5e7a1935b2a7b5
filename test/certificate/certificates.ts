import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  assemble,
  commonName,
  ecdsaWithSha256,
  element,
  goodParts,
  hex,
  type Parts,
  printable,
  rdn,
  serialNumber,
} from '../csr/bad-requests.ts';

/*
 * Certificates made by the encoder of the bad requests, which shares nothing with src/: a good one, and for each rule
 * some that break it and no other, signed anew by the same CA.
 */

/** The parts of a certificate; a bad one differs from the good one in a single part. */
export interface CertificateParts {
  version: Buffer;
  serial: Buffer;
  algorithm: Buffer;
  issuer: Buffer;
  validity: readonly Buffer[];
  subject: Buffer;
  publicKeyInfo: Buffer;
  unique: Buffer;
  extensions: readonly Buffer[];
  besideExtensions: Buffer;
  afterExtensions: Buffer;
  outerAlgorithm: Buffer;
  afterSignature: Buffer;
  key: KeyObject;
  digest: string;
}

export interface Ca {
  readonly parts: CertificateParts;
  readonly der: Buffer;
  readonly name: Buffer;
  readonly keyId: Buffer;
  readonly key: KeyObject;
}

const utc = (text: string) => element(0x17, Buffer.from(text));
const generalized = (text: string) => element(0x18, Buffer.from(text));
const octets = (...contents: Buffer[]) => element(0x04, ...contents);
const nothing = Buffer.alloc(0);
const extension = (oid: string, value: Buffer, critical = nothing) =>
  element(0x30, hex(`06 03 ${oid}`), critical, octets(value));
const critical = hex('01 01 ff');
const authorityKey = (...fields: Buffer[]) => extension('55 1d 23', element(0x30, ...fields));
const constraints = extension('55 1d 13', hex('30 00'), critical);
const usage = extension('55 1d 0f', hex('03 02 07 80'), critical);
const purposes = (...ids: string[]) =>
  extension('55 1d 25', element(0x30, ...ids.map((id) => hex(`06 08 2b 06 01 05 05 07 03 ${id}`))));
const ecdsaWithSha384 = hex('30 0a 06 08 2a 86 48 ce 3d 04 03 03');

export function makeCa(name = 'Test CA', subjectKey: 'named' | 'unnamed' = 'named'): Ca {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const subject = element(0x30, rdn(commonName, printable(name)));
  const keyId = createHash('sha1').update(spki.subarray(-65)).digest();
  const parts = {
    ...certificateParts({ name: subject, keyId, key: privateKey }, { ...goodParts(), subject }),
    publicKeyInfo: spki,
    extensions: [
      extension('55 1d 13', hex('30 03 01 01 ff'), critical),
      extension('55 1d 0f', hex('03 02 01 06'), critical),
      ...(subjectKey === 'named' ? [extension('55 1d 0e', octets(keyId))] : []),
    ],
  };
  return { parts, der: certificateOf(parts), name: subject, keyId, key: privateKey };
}

/** What a CA of ours says in answer to a request. */
export function certificateParts(ca: Pick<Ca, 'name' | 'keyId' | 'key'>, request: Parts): CertificateParts {
  return {
    version: hex('a0 03 02 01 02'),
    serial: hex('02 05 00 a1 b2 c3 d4'),
    algorithm: ecdsaWithSha256,
    issuer: ca.name,
    validity: [utc('250102030405Z'), generalized('99991231235959Z')],
    subject: request.subject,
    publicKeyInfo: request.publicKeyInfo,
    unique: nothing,
    besideExtensions: nothing,
    afterExtensions: nothing,
    afterSignature: nothing,
    extensions: [constraints, usage, purposes('02'), authorityKey(element(0x80, ca.keyId))],
    outerAlgorithm: ecdsaWithSha256,
    key: ca.key,
    digest: 'sha256',
  };
}

export function certificateOf(parts: CertificateParts): Buffer {
  const { version, serial, algorithm, issuer, validity, subject, publicKeyInfo, unique } = parts;
  const extensions = element(0xa3, element(0x30, ...parts.extensions), parts.besideExtensions);
  const head = [version, serial, algorithm, issuer, element(0x30, ...validity), subject, publicKeyInfo];
  const tbs = element(0x30, ...head, unique, extensions, parts.afterExtensions);
  const signature = element(0x03, Buffer.of(0), sign(parts.digest, tbs, parts.key));
  return element(0x30, tbs, parts.outerAlgorithm, signature, parts.afterSignature);
}

/** A device's request, and a good certificate for it. */
export function goodUnit(ca: Ca, id = 'ABCD1234'): { csr: Buffer; certificate: Buffer } {
  const request = goodParts(id);
  return { csr: assemble(request), certificate: certificateOf(certificateParts(ca, request)) };
}

const subjectOf = (cn: Buffer, serial = cn) => ({
  subject: element(0x30, rdn(commonName, cn), rdn(serialNumber, serial)),
});
/** The extensions with one of them replaced, by none if undefined. */
const instead = (at: 0 | 1 | 2 | 3, other?: Buffer) => (parts: CertificateParts) => ({
  extensions: parts.extensions.flatMap((one, place) => (place === at ? (other ?? []) : one)),
});
const also = (other: Buffer) => (parts: CertificateParts) => ({ extensions: [...parts.extensions, other] });
const something = hex('05 00');
const notAfter = (time: Buffer) => (parts: CertificateParts) => ({
  validity: parts.validity.with(1, time),
});
type Spoil = (parts: CertificateParts, ca: Ca) => Partial<CertificateParts>;

/** Rule of src/certificate.ts → what is wrong with a certificate that breaks it. */
export const badCertificates: readonly (readonly [rule: string, name: string, spoil: Spoil])[] = [
  ['too-large', 'over 4,096 bytes', also(extension('55 04 03', Buffer.alloc(4000)))],
  ['not-der', 'version 1', () => ({ version: nothing })],
  ['not-der', 'version 2', () => ({ version: hex('a0 03 02 01 01') })],
  ['not-der', 'serial number 0', () => ({ serial: hex('02 01 00') })],
  ['not-der', 'a negative serial number', () => ({ serial: hex('02 01 80') })],
  ['not-der', 'two signature algorithms', () => ({ algorithm: ecdsaWithSha384 })],
  ['not-der', 'a fraction of a second', notAfter(generalized('99991231235959.0Z'))],
  ['not-der', 'a time without seconds', notAfter(utc('3001020304Z'))],
  ['not-der', 'a time of another zone', notAfter(utc('300102030405+0100'))],
  ['not-der', 'a thirteenth month', notAfter(generalized('20601301000000Z'))],
  ['not-der', 'the thirtieth of February', notAfter(utc('300230000000Z'))],
  ['not-der', 'a third time', ({ validity }) => ({ validity: [...validity, utc('300102030405Z')] })],
  ['not-der', 'something beside the extensions', () => ({ besideExtensions: something })],
  ['not-der', 'something after the extensions', () => ({ afterExtensions: something })],
  ['not-der', 'something after the signature', () => ({ afterSignature: something })],
  ['not-der', 'a unique id of the subject', () => ({ unique: hex('82 02 00 01') })],
  ['not-der', 'an extension twice', also(constraints)],
  ['not-der', 'the default encoded', also(extension('55 1d 0e', octets(), hex('01 01 00')))],
  ['not-der', 'a boolean of another form', also(extension('55 1d 0e', octets(), hex('01 01 01')))],
  ['not-der', 'an extension that goes on', also(element(0x30, hex('06 03 55 1d 0e 04 00 05 00')))],
  ['subject', 'of another device', () => subjectOf(printable('ABCD1235'))],
  ['subject', 'UTF8String', () => subjectOf(element(0x0c, Buffer.from('ABCD1234')))],
  ['key', 'another key', () => ({ publicKeyInfo: goodParts().publicKeyInfo })],
  ['constraints', 'none', instead(0)],
  ['constraints', 'a CA', instead(0, extension('55 1d 13', hex('30 03 01 01 ff'), critical))],
  ['constraints', 'not critical', instead(0, extension('55 1d 13', hex('30 00')))],
  ['usage', 'none', instead(1)],
  ['usage', 'keyCertSign too', instead(1, extension('55 1d 0f', hex('03 02 02 84'), critical))],
  ['usage', 'not critical', instead(1, extension('55 1d 0f', hex('03 02 07 80')))],
  ['purpose', 'none', instead(2)],
  ['purpose', 'serverAuth', instead(2, purposes('01'))],
  ['purpose', 'serverAuth too', instead(2, purposes('02', '01'))],
  [
    'signature-algorithm',
    'ecdsa-with-SHA384',
    () => ({ algorithm: ecdsaWithSha384, outerAlgorithm: ecdsaWithSha384, digest: 'sha384' }),
  ],
  ['issuer', 'of another name', () => ({ issuer: makeCa('Other CA').name })],
  ['issuer', 'of this name with another key', () => ({ key: makeCa().key })],
  ['issuer', 'signed over another digest', () => ({ digest: 'sha384' })],
  ['issuer-key', 'none named', instead(3)],
  ['issuer-key', 'of another CA', instead(3, authorityKey(element(0x80, Buffer.alloc(20, 1))))],
  [
    'issuer-key',
    'named in more than one way',
    (parts, { keyId }) =>
      instead(3, authorityKey(element(0x80, keyId), element(0xa1), hex('82 01 01')))(parts),
  ],
];
