import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerStore } from '../../src/ca/ledger/store.ts';
import { createConnection } from '../../src/sqlite/open.ts';
import { openRaw, type RawSql } from '../registry/temporary-registry.ts';

const now = "'2026-11-25T09:00:00.000Z'";
const hash = (digit: string) => `'${digit.repeat(64)}'`;
const serial = (digit: string) => `'4${digit.repeat(31)}'`;
const verifier = (digit: string) => `'st07+00000000+${digit.repeat(44)}'`;
const none = hash('0');

const station = (name = "'st08'", key = verifier('B')) =>
  `INSERT INTO station VALUES (${name}, ${key}, 'Eve', ${now})`;
const lease = (first: number, last: number, of = "'st07'") =>
  `INSERT INTO lease (station, first, last, officer, granted_at) VALUES (${of}, ${first}, ${last}, 'Eve', ${now})`;
const batch = (direction: string, sequence: number, own: string, previous = none, answers = 'NULL') =>
  `INSERT INTO batch VALUES ('st07', '${direction}', ${sequence}, x'7b7d', ${own}, ${previous}, ${answers}, 'Eve', ${now})`;
const inBatch = (sequence: number, place: number, of = serial('1')) =>
  `INSERT INTO batch_certificate VALUES ('st07', ${sequence}, ${place}, ${of})`;
const file = (sequence: number, name: string) =>
  `INSERT INTO batch_file VALUES ('st07', ${sequence}, '${name}', x'00')`;
const witness = (sequence: number, size: number, epoch = 1) =>
  `INSERT INTO witness VALUES ('st07', ${sequence}, ${epoch}, ${size}, ${hash('e')})`;
const succession = `INSERT INTO succession VALUES (1, ${verifier('C')}, 2, zeroblob(400), NULL, 'Eve', ${now})`;
const inherited = (direction: string, sequence: number) =>
  `INSERT INTO inherited VALUES ('st07', '${direction}', ${sequence}, ${hash('f')})`;
const reissue = (of = serial('1'), replaces = serial('7')) =>
  `INSERT INTO reissue VALUES (${of}, ${replaces})`;

describe('the ledger of what goes to stations and comes from them, against any SQL prompt,', () => {
  let directory: string;
  let sql: RawSql;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lineside-ledger-'));
    const path = join(directory, 'ledger.db');
    await (await createConnection(ledgerStore, path)).close();
    sql = await openRaw(path);
    await sql.exec('PRAGMA foreign_keys = ON');
    await sql.exec(`${station("'st07'", verifier('A'))}; ${lease(16, 31)};
      INSERT INTO device VALUES (16, ${hash('1')}, ${hash('2')}, zeroblob(300));
      INSERT INTO certificate VALUES (${serial('1')}, 'device', 16, ${hash('1')}, ${hash('2')}, zeroblob(400),
        'st07', 'Eve', ${now});
      ${batch('in', 1, hash('a'))}; ${batch('out', 1, hash('b'), none, hash('a'))};
      ${inBatch(1, 1)}; ${file(1, 'chain.pem')}; ${witness(1, 10)}`);
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

  /** A ledger in which nothing was done yet, as far as a succession asks. */
  const unused = `DROP TRIGGER succession_added; ${succession}`;

  test.each([
    ['another station with a lease', `${station()}; ${lease(32, 40, "'st08'")}`],
    [
      'the next batch of each direction',
      `${batch('in', 2, hash('c'), hash('a'))}; ${batch('out', 2, hash('d'), hash('b'), hash('c'))}`,
    ],
    ['a batch that nobody asked for', batch('out', 2, hash('d'), hash('b'))],
    ['the next certificate and file of the last batch', `${inBatch(1, 2)}; ${file(1, 'checkpoint')}`],
    ['a log that has grown, or a new epoch', `${witness(2, 11)}; ${witness(3, 11, 2)}`],
    ['a replacement under a successor', `${unused}; ${reissue()}`],
    [
      'the first batch after an inherited one',
      `${unused}; ${station()}; INSERT INTO inherited VALUES
      ('st08', 'in', 4, ${hash('f')}); INSERT INTO batch VALUES ('st08', 'in', 5, x'7b7d', ${hash('9')}, ${hash('f')},
      NULL, 'Eve', ${now})`,
    ],
  ])('allows %s, so that what is refused below is refused for its rule', async (_, statement) => {
    await attempt(statement);
  });

  const check = 'CHECK constraint failed';
  test.each([
    ['a station has one key', station("'st07'"), 'station-differs'],
    ['a key is of one station', station("'st08'", verifier('A')), 'station-differs'],
    [
      'a station is never replaced',
      station("'st07'").replace('INSERT', 'INSERT OR REPLACE'),
      'station-differs',
    ],
    ['a station has a name that is no path', station("'../st'"), check],
    ['an id is leased to one station', `${station()}; ${lease(31, 40, "'st08'")}`, 'lease-overlaps'],
    ['an id is leased once to a station', lease(16, 31), 'lease-overlaps'],
    ['a lease is of a station', lease(32, 40, "'st09'"), 'FOREIGN KEY'],
    ['a lease ends after it begins', lease(40, 39), check],
    ['a lease has ids only', lease(0, 4), check],
    ['no batch is left out', batch('in', 3, hash('c'), hash('a')), 'no gap'],
    ['no batch comes twice', batch('in', 1, hash('c')), 'none twice'],
    ['a batch follows the one before it', batch('in', 2, hash('c'), hash('9')), 'follows the one before'],
    ['a batch is on record once', batch('out', 2, hash('a'), hash('b')), 'on record once'],
    ['requests are answered once', batch('out', 2, hash('d'), hash('b'), hash('a')), 'answered once'],
    ['an answer answers requests', batch('out', 2, hash('d'), hash('b'), hash('b')), 'station that asked'],
    [
      'requests answer nothing',
      `${batch('in', 2, hash('c'), hash('a'))}; ${batch('in', 3, hash('d'), hash('c'), hash('c'))}`,
      check,
    ],
    ['a certificate is in its batch once', inBatch(1, 1).replace('INSERT', 'INSERT OR REPLACE'), 'already'],
    ['a certificate in a batch was issued', inBatch(1, 2, serial('5')), 'FOREIGN KEY'],
    [
      'nothing is added to a batch of before',
      `${batch('out', 2, hash('d'), hash('b'))}; ${inBatch(1, 2)}`,
      'last batch',
    ],
    ['a file is in its batch once', file(1, 'chain.pem').replace('INSERT', 'INSERT OR REPLACE'), 'already'],
    ['a file has a known name', file(1, 'key.pem'), check],
    ['a log never becomes shorter', witness(2, 9), 'shorter'],
    ['a log never goes back to an epoch', `${witness(2, 11, 2)}; ${witness(3, 12, 1)}`, 'shorter'],
    ['a log is seen once with a batch', witness(1, 10).replace('INSERT', 'INSERT OR REPLACE'), 'shorter'],
    ['who has begun on its own follows nobody', succession, 'succession-differs'],
    ['nothing is inherited without a CA before', inherited('in', 4), 'before all else'],
    ['nothing is inherited once there are batches', `${unused}; ${inherited('in', 4)}`, 'before all else'],
    ['nothing is replaced without a CA before', reissue(), 'only a successor'],
    [
      'a certificate is replaced once',
      `${unused}; ${reissue()}; ${reissue(serial('1'), serial('8'))}`,
      'replaced once',
    ],
    ...['station', 'lease', 'batch', 'batch_certificate', 'batch_file', 'witness'].flatMap((table) => [
      [`nothing is deleted from ${table}`, `DELETE FROM ${table}`, 'never done'],
      [
        `nothing is changed in ${table}`,
        `UPDATE ${table} SET ${table === 'station' ? 'name' : 'station'} = 'st08'`,
        'never done',
      ],
    ]),
  ])('holds that %s', async (_, statement = '', refusal = '') => {
    await expect(attempt(statement)).rejects.toThrow(refusal);
  });
});
