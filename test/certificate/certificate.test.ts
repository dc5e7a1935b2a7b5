import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificateRules, claimedId, verifyCertificate, verifyChain } from '../../src/certificate.ts';
import { readCertificate } from '../../src/certificate-fields.ts';
import { LinesideError } from '../../src/errors.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { badCertificates, certificateOf, certificateParts, goodUnit, makeCa } from './certificates.ts';

const ca = makeCa();
const chain = verifyChain([ca.der]);
const request = goodParts();
const csr = assemble(request);
const good = certificateParts(ca, request);
const der = certificateOf(good);

test('a good certificate is accepted with its serial number, as OpenSSL writes it', async () => {
  expect(await verifyCertificate(der, csr, chain)).toBe('A1B2C3D4');
  expect(await verifyCertificate(der, csr, chain)).toBe(new X509Certificate(der).serialNumber);
  expect(claimedId(der)).toBe('ABCD1234');
});

test('openssl accepts what is accepted', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-certificate-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const pem = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(directory, name), new X509Certificate(bytes).toString());
    return join(directory, name);
  };
  const files = [await pem('ca.pem', ca.der), await pem('unit.pem', der)];
  const strict = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', ...files];
  expect(execFileSync('openssl', strict).toString()).toContain('OK');
});

describe('a certificate is refused by the name of the rule it breaks', () => {
  test.each(badCertificates)('%s: %s', async (rule, _name, spoil) => {
    const spoiled = certificateOf({ ...good, ...spoil(good, ca) });
    expect(await refusal(() => verifyCertificate(spoiled, csr, chain))).toBe(rule);
  });

  test('and every rule has a certificate that breaks it, here or in the tests of an import', () => {
    const ofImport = ['unknown-device', 'chain', 'anchor'];
    const here = badCertificates.map(([rule]) => rule);
    expect(new Set([...here, ...ofImport])).toEqual(new Set(Object.keys(certificateRules)));
  });
});

test.each([
  ['empty', Buffer.alloc(0)],
  ['followed by a byte', Buffer.concat([der, Buffer.of(0)])],
  ['cut short', der.subarray(0, -1)],
  ['in PEM', Buffer.from(new X509Certificate(der).toString())],
])('a certificate that is %s is not DER', async (_, bytes) => {
  expect(await refusal(() => verifyCertificate(bytes, csr, chain))).toBe('not-der');
});

test('no single changed bit is accepted', async () => {
  for (let bit = 0; bit < der.length * 8; bit += 1) {
    const changed = Buffer.from(der);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(await refusal(() => verifyCertificate(changed, csr, chain)), `bit ${bit}`).toBeDefined();
  }
});

test.each([
  ['names another issuer', { issuer: makeCa('Other CA').name }],
  ['was signed with another key', { key: makeCa().key }],
  ['is no CA', { extensions: good.extensions }],
])('a chain that ends with a certificate that %s does not hold', async (_, change) => {
  const root = certificateOf({ ...ca.parts, ...change });
  expect(await refusal(async () => verifyChain([root]))).toBe('chain');
});

test('a CA without a key identifier of its own issues certificates that name none', async () => {
  const unnamed = makeCa('Test CA', 'unnamed');
  const ofIt = verifyChain([unnamed.der]);
  const parts = certificateParts(unnamed, request);
  expect(await refusal(() => verifyCertificate(certificateOf(parts), csr, ofIt))).toBe('issuer-key');
  const silent = certificateOf({ ...parts, extensions: parts.extensions.slice(0, 3) });
  expect(await verifyCertificate(silent, csr, ofIt)).toBe('A1B2C3D4');
});

test.each([
  ['in lower case', 'abcd1234'],
  ['reserved', 'FFFFFFFF'],
  ['not an id', 'router'],
])('a subject that is %s is no device', async (_, id) => {
  expect(await refusal(async () => claimedId(goodUnit(ca, id).certificate))).toBe('unknown-device');
});

test.each([
  ['17', '491231235959Z', '2049-12-31T23:59:59.000Z'],
  ['17', '500101000000Z', '1950-01-01T00:00:00.000Z'],
  ['18', '99991231235959Z', '9999-12-31T23:59:59.000Z'],
])('the end of its time is read: %s %s', (tag, text, iso) => {
  const time = Buffer.concat([Buffer.of(Number.parseInt(tag, 16), text.length), Buffer.from(text)]);
  const limited = certificateOf({ ...good, validity: good.validity.with(1, time) });
  expect(readCertificate(limited).notAfter.toISOString()).toBe(iso);
  expect(new Date(new X509Certificate(limited).validTo).toISOString()).toBe(iso); // as OpenSSL reads it
});

/** The rule that refuses it; undefined if it is accepted. Throws for any error that is not a refusal. */
async function refusal(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof LinesideError && error.code === 'certificate-refused') return error.facts['name'];
    throw error;
  }
}
