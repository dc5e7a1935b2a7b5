import { expect, test } from 'vitest';
import { type CrlPeriod, crlTbs, revocationReasons, type Revocation } from '../../src/ca/crl.ts';
import { fillDeviceTemplate, makeDeviceTemplate } from '../../src/ca/device-template.ts';
import { randomSerial } from '../../src/ca/serial.ts';
import { daysAfter, validityFrom } from '../../src/ca/validity.ts';
import { cursor, nextTag, read, tag } from '../../src/der.ts';
import { issuedAt, newPoint, selfSigned, signedBy } from './authorities.ts';
import { gnutlsCrlText, gnutlsVerify, opensslCrlText, opensslVerify } from './judges.ts';

const month: CrlPeriod = { thisUpdate: issuedAt, nextUpdate: daysAfter(issuedAt, 30) };
const reasons = Object.keys(revocationReasons) as (keyof typeof revocationReasons)[];
const revoked = (reason: Revocation['reason'], serial = randomSerial()): Revocation => ({
  serial,
  at: issuedAt,
  reason,
});
const upper = (serial: Uint8Array) => Buffer.from(serial).toString('hex').toUpperCase();

test('openssl and GnuTLS refuse a certificate that is on the list, and no other', async () => {
  const authority = await selfSigned();
  const template = makeDeviceTemplate(authority.issuer, 'default', validityFrom(issuedAt, null));
  const serial = randomSerial();
  const leaf = await signedBy(authority, fillDeviceTemplate(template, serial, 'ABCD1234', newPoint()));
  const chain = { leaf, root: authority.certificate };
  const other = await signedBy(authority, crlTbs(authority.issuer, 1, month, [revoked('keyCompromise')]));
  expect(await opensslVerify({ ...chain, crl: other }, 'sslclient')).toMatchObject({ passes: true });
  expect(await gnutlsVerify({ ...chain, crl: other }, 'sslclient')).toMatchObject({ passes: true });
  const own = await signedBy(
    authority,
    crlTbs(authority.issuer, 2, month, [revoked('keyCompromise', serial)]),
  );
  expect((await opensslVerify({ ...chain, crl: own }, 'sslclient')).words).toContain('certificate revoked');
  expect((await gnutlsVerify({ ...chain, crl: own }, 'sslclient')).words).toContain('revoked');
});

test('an overdue list is refused by openssl', async () => {
  const authority = await selfSigned();
  const template = makeDeviceTemplate(authority.issuer, 'default', validityFrom(issuedAt, null));
  const leaf = await signedBy(
    authority,
    fillDeviceTemplate(template, randomSerial(), 'ABCD1234', newPoint()),
  );
  const period = { thisUpdate: daysAfter(issuedAt, -2), nextUpdate: daysAfter(issuedAt, -1) };
  const crl = await signedBy(authority, crlTbs(authority.issuer, 1, period, []));
  const verdict = await opensslVerify({ leaf, root: authority.certificate, crl }, 'sslclient');
  expect(verdict.words).toContain('CRL has expired');
});

test('each reason is read by openssl as what it is called, and unspecified is left out', async () => {
  const authority = await selfSigned();
  const entries = reasons.map((reason) => revoked(reason));
  const text = opensslCrlText(await signedBy(authority, crlTbs(authority.issuer, 1, month, entries)));
  const read = text.split('Serial Number: ').slice(1);
  expect(read.map((entry) => entry.slice(0, 32))).toEqual(entries.map(({ serial }) => upper(serial)));
  expect(read.map((entry) => /Reason Code: *\n *(.*)/.exec(entry)?.[1] ?? 'none')).toEqual([
    'none',
    'Key Compromise',
    'Affiliation Changed',
    'Superseded',
    'Cessation Of Operation',
    'Privilege Withdrawn',
  ]);
});

test.each([1, 127, 128, 255, 256, 65_535, 2 ** 40])('CRL number %d is read back', async (number) => {
  const authority = await selfSigned();
  const crl = await signedBy(authority, crlTbs(authority.issuer, number, month, []));
  const hex = number.toString(16);
  const shown = /CRL Number: *\n *(\S+)/.exec(opensslCrlText(crl))?.[1] ?? '';
  expect(Number(shown)).toBe(number);
  expect(gnutlsCrlText(crl)).toMatch(new RegExp(`CRL Number \\(not critical\\): 0*${hex}\n`));
  expect(gnutlsCrlText(crl)).toContain('No revoked certificates');
});

test('an empty list has no field for its entries (RFC 5280 5.1.2.6), which openssl and GnuTLS would let pass', async () => {
  const authority = await selfSigned();
  const fields = (entries: Revocation[]) => {
    const tbs = cursor(read(cursor(crlTbs(authority.issuer, 1, month, entries)), tag.sequence));
    const tags: (number | undefined)[] = [];
    for (let next = nextTag(tbs); next !== undefined; next = nextTag(tbs)) {
      tags.push(next);
      read(tbs, next);
    }
    return tags;
  };
  const [utcTime, sequence] = [0x17, tag.sequence];
  const before = [tag.integer, sequence, sequence, utcTime, utcTime];
  expect(fields([])).toEqual([...before, tag.crlExtensions]);
  expect(fields([revoked('superseded')])).toEqual([...before, sequence, tag.crlExtensions]);
});

test('a list of 10,000 is read by openssl and GnuTLS', async () => {
  const authority = await selfSigned();
  const entries = Array.from({ length: 10_000 }, () => revoked('superseded'));
  const crl = await signedBy(authority, crlTbs(authority.issuer, 1, month, entries));
  expect(opensslCrlText(crl).match(/Serial Number/g)).toHaveLength(10_000);
  expect(gnutlsCrlText(crl)).toContain('Revoked certificates (10000)');
});
