import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { revocationReasons } from '../../src/ca/crl.ts';
import { ledgerStore } from '../../src/ca/ledger/store.ts';
import { createConnection } from '../../src/sqlite/open.ts';
import { openRaw, type RawSql } from '../registry/temporary-registry.ts';

const now = "'2026-11-23T09:00:00.000Z'";
const later = "'2026-12-23T09:00:00.000Z'";
const hash = (digit: string) => `'${digit.repeat(64)}'`;
const serial = (digit: string) => `'4${digit.repeat(31)}'`;
const device = (id: number | string, spki = hash('a'), csr = hash('b')) =>
  `INSERT INTO device (id, spki, csr, request) VALUES (${id}, ${spki}, ${csr}, zeroblob(300))`;

interface Row {
  serial: string;
  issuer: string;
  device: string;
  spki: string;
  csr: string;
  der: string;
  station: string;
  officer: string;
  at: string;
}
const row: Row = {
  serial: serial('9'),
  issuer: "'device'",
  device: '1',
  spki: hash('1'),
  csr: hash('2'),
  der: 'zeroblob(400)',
  station: "'st07'",
  officer: "'Eve'",
  at: now,
};
const certificate = (change: Partial<Row> = {}) =>
  `INSERT INTO certificate (serial, issuer, device, spki, csr, der, station, officer, issued_at)
   VALUES (${Object.values({ ...row, ...change }).join(', ')})`;
const broker = { issuer: "'broker'", device: 'NULL', spki: hash('c'), csr: 'NULL', station: 'NULL' };
const revocation = (of = serial('1'), reason = 'superseded', officer = "'Eve'") =>
  `INSERT INTO revocation VALUES (${of}, '${reason}', ${officer}, ${now})`;
const crl = (number: number | string, issuer = 'device', next = later) =>
  `INSERT INTO crl VALUES ('${issuer}', ${number}, ${now}, ${next}, ${hash('d')}, 'Eve')`;

describe('the ledger itself, against any SQL prompt,', () => {
  let directory: string;
  let sql: RawSql;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lineside-ledger-'));
    const path = join(directory, 'ledger.db');
    await (await createConnection(ledgerStore, path)).close();
    sql = await openRaw(path);
    await sql.exec('PRAGMA foreign_keys = ON');
    await sql.exec(device(1, hash('1'), hash('2')));
    await sql.exec(certificate({ serial: serial('1') }));
    await sql.exec(certificate({ ...broker, serial: serial('2'), spki: hash('3') }));
    await sql.exec(revocation(serial('2')));
    await sql.exec(crl(1));
  });

  afterAll(async () => {
    await sql.close();
    await rm(directory, { recursive: true });
  });

  /** Whatever the statement did is taken back, so that each rule is tried on the same rows. */
  async function attempt(statement: string): Promise<void> {
    await sql.exec('BEGIN');
    try {
      await sql.exec(statement);
    } finally {
      await sql.exec('ROLLBACK');
    }
  }

  test.each([
    ['another device', device(2)],
    ['the lowest and the highest id', `${device(4294967294)}; ${device(2, hash('e'), hash('f'))}`],
    ['another certificate of a known device', certificate()],
    ['a certificate of a broker, with and without a request', certificate({ ...broker, csr: hash('4') })],
    ['a second certificate of the same broker', certificate({ ...broker, spki: hash('3') })],
    ['a revocation', revocation()],
    ['the next CRL', crl(2)],
    ['the first CRL of brokers', crl(1, 'broker')],
    ...Object.keys(revocationReasons).map((reason) => [`reason ${reason}`, revocation(serial('1'), reason)]),
  ])('allows %s, so that what is refused below is refused for its rule', async (_, statement = '') => {
    await attempt(statement);
  });

  const check = 'CHECK constraint failed';
  test.each([
    ['an id has one key', device(1, hash('9'), hash('8')), 'id-has-other-key'],
    ['a key has one id', device(2, hash('1'), hash('8')), 'key-has-other-id'],
    ['an id has one request', device(1, hash('1'), hash('8')), 'request-changed'],
    ['a request is of one id', device(2, hash('9'), hash('2')), 'request-changed'],
    ['a key of a broker is no device’s', device(2, hash('3'), hash('8')), 'key-has-other-role'],
    ['a key of a device is no broker’s', certificate({ ...broker, spki: hash('1') }), 'key-has-other-role'],
    [
      'a device is never replaced',
      device(1, hash('9'), hash('8')).replace('INSERT', 'INSERT OR REPLACE'),
      'id-has-other-key',
    ],
    [
      'a key has one id, also without the triggers',
      `DROP TRIGGER device_added; ${device(2, hash('1'), hash('8'))}`,
      'UNIQUE constraint failed: device.spki',
    ],
    [
      'an id has one key, also without the triggers',
      `DROP TRIGGER device_added; ${device(1, hash('9'), hash('8'))}`,
      'UNIQUE constraint failed: device.id',
    ],
    ['00000000 is no id', device(0), check],
    ['FFFFFFFF is no id', device(4294967295), check],
    ['a serial number is issued once', certificate({ serial: serial('1') }), 'never issued twice'],
    [
      'a serial number is issued once by both CAs together',
      certificate({ ...broker, serial: serial('1') }),
      'never issued twice',
    ],
    [
      'a certificate is never replaced',
      certificate({ serial: serial('1') }).replace('INSERT', 'INSERT OR REPLACE'),
      'never issued twice',
    ],
    [
      'a serial number is issued once, also without the triggers',
      `DROP TRIGGER certificate_added; ${certificate({ serial: serial('1') })}`,
      'UNIQUE constraint failed: certificate.serial',
    ],
    ['a serial number is positive', certificate({ serial: `'8${'1'.repeat(31)}'` }), check],
    ['a serial number is never short', certificate({ serial: `'0${'1'.repeat(31)}'` }), check],
    ['a serial number has 16 bytes', certificate({ serial: `'4${'1'.repeat(33)}'` }), check],
    ['a serial number is lower-case hex', certificate({ serial: `'4${'A'.repeat(31)}'` }), check],
    ['a certificate has a serial number', certificate({ serial: 'NULL' }), 'NOT NULL'],
    ['a certificate is of one of two CAs', certificate({ issuer: "'root'" }), check],
    ['a certificate of the device CA has a device', certificate({ device: 'NULL' }), 'request-changed'],
    ['a certificate of the broker CA has none', certificate({ ...broker, device: '1' }), check],
    ['a certificate is of the device’s key', certificate({ spki: hash('7') }), 'FOREIGN KEY'],
    ['a certificate is of the device’s request', certificate({ csr: hash('7') }), 'request-changed'],
    ['a certificate is of a known device', certificate({ device: '2' }), 'request-changed'],
    [
      'a device has a request, also without the triggers',
      `DROP TRIGGER certificate_added; ${certificate({ csr: 'NULL' })}`,
      check,
    ],
    ['a certificate is there', certificate({ der: "x''" }), check],
    ['a certificate is bytes', certificate({ der: "'text'" }), 'cannot store TEXT'],
    ['somebody issued it', certificate({ officer: "''" }), check],
    ['somebody with a name of at most 64 bytes', certificate({ officer: `'${'a'.repeat(65)}'` }), check],
    ['a station has a name', certificate({ station: "''" }), check],
    ['a time is a time', certificate({ at: "'today'" }), check],
    ['what was never issued is not revoked', revocation(serial('5')), 'FOREIGN KEY'],
    ['what is revoked is not revoked again', revocation(serial('2')), 'already-revoked'],
    [
      'a revocation is not replaced',
      revocation(serial('2'), 'keyCompromise').replace('INSERT', 'INSERT OR REPLACE'),
      'already-revoked',
    ],
    ['there is no hold, which would be taken back', revocation(serial('1'), 'certificateHold'), check],
    ['somebody revoked it', revocation(serial('1'), 'superseded', "''"), check],
    ['a CRL number is used once', crl(1), 'none is used twice'],
    ['CRL numbers have no gap', crl(3), 'no gap'],
    ['the first CRL is number 1', crl(2, 'broker'), 'no gap'],
    ['a CRL ends after it begins', crl(2, 'device', now), check],
    ['a CRL is of one of two CAs', crl(1, 'root'), check],
    ...['device', 'certificate', 'revocation', 'crl'].flatMap((table) => [
      [`nothing is deleted from ${table}`, `DELETE FROM ${table}`, 'never done'],
      [`nothing is changed in ${table}`, `UPDATE ${table} SET rowid = 77`, 'never done'],
    ]),
  ])('holds that %s', async (_, statement = '', refusal = '') => {
    const all = 'SELECT count(*) AS n FROM device, certificate, revocation, crl';
    const before = await sql.all(all);
    await expect(attempt(statement)).rejects.toThrow(refusal);
    expect(await sql.all(all)).toEqual(before);
  });
});
