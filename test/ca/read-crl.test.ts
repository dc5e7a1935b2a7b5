import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crlTbs, type Revocation } from '../../src/ca/crl.ts';
import { isSignedBy, namesIssuer, readCrl } from '../../src/ca/read-crl.ts';
import { randomSerial } from '../../src/ca/serial.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { DerError, element, tag } from '../../src/der.ts';
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

describe('none is read that says more than we write', () => {
  test.each([
    ['which certificates it is for', 'issuingDistributionPoint=critical,@p\n[p]\nonlyuser=TRUE\n'],
    ['no key identifier', 'issuerAltName=DNS:x\n'],
  ])('%s', async (_, extensions) => {
    const crl = await opensslCrl(extensions);
    expect(() => readCrl(crl)).toThrow(DerError);
  });
});

describe('none is read that is not DER', () => {
  const whole = async () => {
    const authority = await selfSigned();
    return Buffer.from(await signedBy(authority, crlTbs(authority.issuer, 1, month, [revoked()])));
  };
  const replaced = (der: Buffer, from: string, to: string) =>
    Buffer.from(der.toString('hex').replace(from, to), 'hex');
  const utcTime = (text: string) => `170d${Buffer.from(text).toString('hex')}`;
  const first = (der: Buffer) => /170d[0-9a-f]{26}/.exec(der.toString('hex'))?.[0] ?? '';

  test.each<[string, (der: Buffer) => Buffer]>([
    ['a byte after it', (der) => Buffer.concat([der, Buffer.of(0)])],
    ['cut short', (der) => der.subarray(0, -1)],
    ['version 1', (der) => replaced(der, '020101', '020100')],
    ['signed with SHA-384', (der) => replaced(der, '2a8648ce3d040302', '2a8648ce3d040303')],
    ['the 30th of February', (der) => replaced(der, first(der), utcTime('260230000000Z'))],
    ['a time without its Z', (der) => replaced(der, first(der), utcTime('2602280000000'))],
    ['an empty list of entries', () => element(tag.sequence, emptyEntries())],
  ])('%s', async (_, change) => {
    const der = await whole();
    readCrl(der);
    expect(() => readCrl(change(der))).toThrow(DerError);
  });

  function emptyEntries(): Buffer {
    const utc = Buffer.from(utcTime('260228000000Z'), 'hex');
    const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
    const nothing = Buffer.of(0x30, 0);
    return element(tag.sequence, Buffer.of(2, 1, 1), algorithm, nothing, utc, utc, nothing);
  }
});
