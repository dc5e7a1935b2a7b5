import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/*
 * Named bad certificate requests, one for each rule, made by an encoder of our own that shares nothing with src/:
 * a good request is taken apart into its fields, one field is spoiled, and the result is signed anew.
 */

/** One DER element (X.690): tag, shortest length, contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  if (body.length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, body.length), body]);
  return Buffer.concat([Buffer.of(tag, 0x82, body.length >> 8, body.length & 0xff), body]);
}

export const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
export const printable = (text: string) => element(0x13, Buffer.from(text));
export const commonName = hex('06 03 55 04 03');
export const serialNumber = hex('06 03 55 04 05');
const organization = hex('06 03 55 04 0a');
export const rdn = (type: Uint8Array, value: Uint8Array) => element(0x31, element(0x30, type, value));
const ecPublicKey = hex('06 07 2a 86 48 ce 3d 02 01');
const prime256v1 = hex('06 08 2a 86 48 ce 3d 03 01 07');
export const ecdsaWithSha256 = hex('30 0a 06 08 2a 86 48 ce 3d 04 03 02');
const ecdsaWithSha1 = hex('30 09 06 07 2a 86 48 ce 3d 04 01');

/** The parts of a request; a bad one differs from the good one in a single part. */
export interface Parts {
  version: Buffer;
  subject: Buffer;
  publicKeyInfo: Buffer;
  attributes: Buffer;
  algorithm: Buffer;
  key: KeyObject;
  digest: string;
}

export function goodParts(id = 'ABCD1234'): Parts {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    version: hex('02 01 00'),
    subject: element(0x30, rdn(commonName, printable(id)), rdn(serialNumber, printable(id))),
    publicKeyInfo: publicKey.export({ format: 'der', type: 'spki' }),
    attributes: hex('a0 00'),
    algorithm: ecdsaWithSha256,
    key: privateKey,
    digest: 'sha256',
  };
}

export function assemble(parts: Parts): Buffer {
  const info = element(0x30, parts.version, parts.subject, parts.publicKeyInfo, parts.attributes);
  const signature = sign(parts.digest, info, parts.key);
  return element(0x30, info, parts.algorithm, element(0x03, Buffer.of(0), signature));
}

function spoiled(spoil: (parts: Parts) => Partial<Parts>): Buffer {
  const parts = goodParts();
  return assemble({ ...parts, ...spoil(parts) });
}

const names = (...rdns: readonly Buffer[]) => ({ subject: element(0x30, ...rdns) });
const point = (parts: Parts) => parts.publicKeyInfo.subarray(-65);
const keyInfo = (algorithm: Buffer, bits: Uint8Array) => ({
  publicKeyInfo: element(0x30, algorithm, element(0x03, Buffer.of(0), bits)),
});
const ec = element(0x30, ecPublicKey, prime256v1);

function otherKey(type: 'rsa' | 'P-384' | 'secp256k1'): Partial<Parts> {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: type });
  return { publicKeyInfo: pair.publicKey.export({ format: 'der', type: 'spki' }), key: pair.privateKey };
}

function offCurve(parts: Parts): Buffer {
  const bad = Buffer.from(point(parts));
  bad[64] = (bad[64] ?? 0) ^ 1;
  return bad;
}

/** basicConstraints CA:TRUE, asked for as PKCS#9 extensionRequest (RFC 2985 5.4.2). */
const wantsToBeCa = element(
  0xa0,
  element(
    0x30,
    hex('06 09 2a 86 48 86 f7 0d 01 09 0e'),
    element(0x31, element(0x30, hex('30 0f 06 03 55 1d 13 01 01 ff 04 05 30 03 01 01 ff'))),
  ),
);

/** Rewrites the outermost length in two octets where one would do: BER, not DER. */
function longForm(der: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x30, 0x82, 0x00, der[2] ?? 0), der.subarray(3)]);
}

function flippedSignature(der: Buffer): Buffer {
  const bad = Buffer.from(der);
  bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
  return bad;
}

/** Rule of src/csr/verify.ts → requests that break it. */
export const badRequests: readonly (readonly [rule: string, name: string, der: () => Buffer])[] = [
  ['too-large', 'over 1,024 bytes', () => spoiled(() => names(rdn(commonName, printable('A'.repeat(1000)))))],
  ['not-der', 'empty', () => Buffer.alloc(0)],
  ['not-der', 'trailing bytes', () => Buffer.concat([assemble(goodParts()), Buffer.of(0)])],
  ['not-der', 'BER: a length in its long form', () => longForm(assemble(goodParts()))],
  [
    'not-der',
    'BER: indefinite length',
    () => Buffer.concat([hex('30 80'), assemble(goodParts()).subarray(3), hex('00 00')]),
  ],
  ['not-der', 'cut in the middle', () => assemble(goodParts()).subarray(0, 150)],
  ['not-der', 'no attributes field', () => spoiled(() => ({ attributes: Buffer.alloc(0) }))],
  ['version', 'version 1', () => spoiled(() => ({ version: hex('02 01 01') }))],
  [
    'subject',
    'foreign attribute type',
    () =>
      spoiled(() =>
        names(rdn(organization, printable('ABCD1234')), rdn(serialNumber, printable('ABCD1234'))),
      ),
  ],
  ['subject', 'no serialNumber', () => spoiled(() => names(rdn(commonName, printable('ABCD1234'))))],
  [
    'subject',
    'an extra RDN',
    () =>
      spoiled(({ subject }) => names(Buffer.from(subject.subarray(2)), rdn(organization, printable('X')))),
  ],
  [
    'subject',
    'serialNumber of another device',
    () =>
      spoiled(() => names(rdn(commonName, printable('ABCD1234')), rdn(serialNumber, printable('ABCD1235')))),
  ],
  [
    'subject',
    'the names the other way round',
    () =>
      spoiled(() => names(rdn(serialNumber, printable('ABCD1234')), rdn(commonName, printable('ABCD1234')))),
  ],
  [
    'subject',
    'UTF8String',
    () =>
      spoiled(() =>
        names(
          rdn(commonName, element(0x0c, Buffer.from('ABCD1234'))),
          rdn(serialNumber, printable('ABCD1234')),
        ),
      ),
  ],
  [
    'subject',
    'both names in one RDN',
    () =>
      spoiled(() =>
        names(
          element(
            0x31,
            element(0x30, commonName, printable('ABCD1234')),
            element(0x30, serialNumber, printable('ABCD1234')),
          ),
        ),
      ),
  ],
  ['device-id', 'lower case', () => assemble(goodParts('abcd1234'))],
  ['device-id', 'seven digits', () => assemble(goodParts('ABCD123'))],
  ['device-id', 'reserved 00000000', () => assemble(goodParts('00000000'))],
  ['device-id', 'reserved FFFFFFFF', () => assemble(goodParts('FFFFFFFF'))],
  ['key-algorithm', 'RSA', () => spoiled(() => otherKey('rsa'))],
  ['curve', 'P-384', () => spoiled(() => otherKey('P-384'))],
  ['curve', 'secp256k1', () => spoiled(() => otherKey('secp256k1'))],
  [
    'curve',
    'explicit parameters',
    () => spoiled((parts) => keyInfo(element(0x30, ecPublicKey, element(0x30)), point(parts))),
  ],
  [
    'point',
    'compressed',
    () => spoiled((parts) => keyInfo(ec, Buffer.concat([Buffer.of(2), point(parts).subarray(1, 33)]))),
  ],
  ['point', 'infinity', () => spoiled(() => keyInfo(ec, Buffer.of(0)))],
  ['off-curve', 'off the curve', () => spoiled((parts) => keyInfo(ec, offCurve(parts)))],
  ['attributes', 'asks to be a CA', () => spoiled(() => ({ attributes: wantsToBeCa }))],
  ['signature-algorithm', 'SHA-1', () => spoiled(() => ({ algorithm: ecdsaWithSha1, digest: 'sha1' }))],
  [
    'signature-algorithm',
    'with parameters',
    () => spoiled(() => ({ algorithm: hex('30 0c 06 08 2a 86 48 ce 3d 04 03 02 05 00') })),
  ],
  ['signature', 'broken', () => flippedSignature(assemble(goodParts()))],
  ['signature', 'of another key', () => spoiled(() => ({ key: goodParts().key }))],
  ['signature', 'over another digest', () => spoiled(() => ({ digest: 'sha384' }))],
];
