import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { crlTbs, type Revocation } from '../../src/ca/crl.ts';
import { isSignedBy, namesIssuer, readCrl } from '../../src/ca/read-crl.ts';
import { randomSerial } from '../../src/ca/serial.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { cursor, DerError, element, read, tag } from '../../src/der.ts';
import { scratch } from '../support/program.ts';
import { issuedAt, selfSigned, signedBy } from './authorities.ts';

const month = { thisUpdate: issuedAt, nextUpdate: daysAfter(issuedAt, 30) };
const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
const revoked = (): Revocation => ({ serial: randomSerial(), at: issuedAt, reason: 'superseded' });

test.each([0, 1, 10_000])('a list of %i is read as it was written', async (length) => {
  const authority = await selfSigned();
  const entries = Array.from({ length }, revoked);
  const crl = readCrl(await signedBy(authority, crlTbs(authority.issuer, 300, month, entries)));
  expect(crl.number).toBe(300);
  expect(seconds(crl.thisUpdate)).toBe(seconds(month.thisUpdate));
  expect(seconds(crl.nextUpdate)).toBe(seconds(month.nextUpdate));
  expect([...crl.revoked]).toEqual(entries.map(({ serial }) => Buffer.from(serial).toString('hex')));
  expect(isSignedBy(crl, authority.issuer)).toBe(true);
});

test('a list of a CA of the same name is not its own', async () => {
  const [authority, other] = [await selfSigned(), await selfSigned()];
  const crl = readCrl(await signedBy(other, crlTbs(other.issuer, 1, month, [])));
  expect(namesIssuer(crl, authority.issuer)).toBe(false);
  const claimed = readCrl(await signedBy(other, crlTbs(authority.issuer, 1, month, [])));
  expect(namesIssuer(claimed, authority.issuer)).toBe(true);
  expect(isSignedBy(claimed, authority.issuer)).toBe(false);
});

test('a time after 2049 is read, in the form it then has', async () => {
  const authority = await selfSigned();
  const nextUpdate = new Date(Date.UTC(2050, 0, 1));
  const crl = readCrl(await signedBy(authority, crlTbs(authority.issuer, 1, { ...month, nextUpdate }, [])));
  expect(crl.nextUpdate).toEqual(nextUpdate);
});

/** By openssl, which shares no code with us: a CA in two files, and the extensions its CRL is to have. */
async function opensslCrl(extensions: string): Promise<Buffer> {
  const directory = await scratch();
  const at = (name: string) => join(directory, name);
  writeFileSync(at('index'), `R\t350101000000Z\t260101000000Z,superseded\t4A5B6C\tunknown\t/CN=x\n`);
  writeFileSync(at('number'), '0102\n');
  writeFileSync(
    at('cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\ncrlnumber=${at('number')}\ndefault_md=sha256\n[e]\n${extensions}`,
  );
  const openssl = (args: string) => execFileSync('openssl', args.split(' '), { stdio: 'pipe' });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  openssl(`req -x509 ${key} -subj /CN=x -keyout ${at('key')} -out ${at('crt')}`);
  const signing = `-keyfile ${at('key')} -cert ${at('crt')} -crlexts e -crldays 3`;
  openssl(`ca -config ${at('cnf')} -gencrl ${signing} -out ${at('pem')}`);
  openssl(`crl -in ${at('pem')} -outform der -out ${at('der')}`);
  return readFileSync(at('der'));
}

test('one that openssl has made is read too', async () => {
  const crl = readCrl(await opensslCrl('authorityKeyIdentifier=keyid:always\n'));
  expect(crl.number).toBe(0x102);
  expect([...crl.revoked]).toEqual(['4a5b6c']);
  expect(crl.nextUpdate.getTime() - crl.thisUpdate.getTime()).toBe(3 * 86_400_000);
});

/** A CRL of which one part is not as it should be; it is signed all the same. */
async function changed(change: (tbs: string) => string): Promise<Uint8Array> {
  const authority = await selfSigned();
  const tbs = Buffer.from(crlTbs(authority.issuer, 1, month, [])).toString('hex');
  const fields = Buffer.from(read(cursor(Buffer.from(tbs, 'hex')), tag.sequence)).toString('hex');
  const spoiled = Buffer.from(change(fields), 'hex');
  return signedBy(authority, element(tag.sequence, spoiled));
}

const utcTime = (text: string) => `170d${Buffer.from(text).toString('hex')}`;
const firstTime = /170d[0-9a-f]{26}/;
/** What stands between two fields, the last one being the extensions, whose lengths fit into one octet. */
const extensions = /a0([0-9a-f]{2})30([0-9a-f]{2})([0-9a-f]*)$/;
const withExtension = (der: string) => (fields: string) =>
  fields.replace(extensions, (_, _outer, _inner, list: string) => {
    const whole = element(tag.crlExtensions, element(tag.sequence, Buffer.from(list + der, 'hex')));
    return whole.toString('hex');
  });

test('a list is read that was only taken apart and put together', async () => {
  readCrl(await changed((fields) => fields));
  readCrl(await changed(withExtension('')));
});

test.each<[string, (fields: string) => string]>([
  ['version 1', (fields) => fields.replace('020101', '020100')],
  ['signed with SHA-384', (fields) => fields.replace('2a8648ce3d040302', '2a8648ce3d040303')],
  ['the 30th of February', (fields) => fields.replace(firstTime, utcTime('260230000000Z'))],
  ['a time without its Z', (fields) => fields.replace(firstTime, utcTime('2602280000000'))],
  [
    'GeneralizedTime before 2050',
    (fields) => fields.replace(firstTime, `180f${Buffer.from('20260228000000Z').toString('hex')}`),
  ],
  ['entries, but none', (fields) => fields.replace(extensions, '3000$&')],
  ['no extensions', (fields) => fields.replace(extensions, '')],
  ['a delta to another list (RFC 5280 5.2.4)', withExtension('300a0603551d1b0403020101')],
  [
    'for some certificates only (RFC 5280 5.2.5)',
    withExtension('300c0603551d1c0405300381 01ff'.replace(' ', '')),
  ],
  [
    'another extension in place of the key identifier',
    (fields) => fields.replace('0603551d23', '0603551d12'),
  ],
  ['another extension in place of the number', (fields) => fields.replace('0603551d14', '0603551d12')],
  ['a number that is negative', (fields) => fields.replace('0403020101', '04030201ff')],
  ['a critical extension', (fields) => fields.replace(extensions, criticalNumber)],
])('a list is not read that is not as we write it: %s', async (_, change) => {
  const crl = await changed(change);
  expect(() => readCrl(crl)).toThrow(DerError);
});

function criticalNumber(_: string, _outer: string, _inner: string, list: string): string {
  const critical = list.replace('300a0603551d140403020101', '300d0603551d140101ff0403020101');
  return element(tag.crlExtensions, element(tag.sequence, Buffer.from(critical, 'hex'))).toString('hex');
}

test.each<[string, (der: Buffer) => Buffer]>([
  ['with a byte after it', (der) => Buffer.concat([der, Buffer.of(0)])],
  ['cut short', (der) => der.subarray(0, -1)],
  ['empty', () => Buffer.alloc(0)],
])('a list is not read %s', async (_, change) => {
  const crl = change(Buffer.from(await changed((fields) => fields)));
  expect(() => readCrl(crl)).toThrow(DerError);
});
