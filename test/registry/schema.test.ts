import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLease, unitStates } from '../../src/device.ts';
import { createRegistry } from '../../src/registry/sqlite.ts';
import { clock, leaf, openRaw, type RawSql } from './temporary-registry.ts';

/** One unit in each state, its id the place of the state in this list. */
const at = Object.fromEntries(unitStates.map((state, index) => [state, index + 1]));
const now = "'2026-11-23T09:00:00.000Z'";
const hash = (digit: string) => `'${digit.repeat(64)}'`;
const reserve = (id: number | string, state = 'reserved') =>
  `INSERT INTO unit (id, state, reserved_at, changed_at) VALUES (${id}, '${state}', ${now}, ${now})`;
const change = (from: string, set: string) => `UPDATE unit SET ${set} WHERE id = ${at[from]}`;

/** What a legal step sets; `digit` keeps keys and chips apart. */
const steps: Record<string, (digit: number) => string> = {
  keyed: (digit) => `state = 'keyed', csr = x'3000', spki = ${hash(String(digit))}`,
  flashing: (digit) => `state = 'flashing', uid = '0000000${digit}', probe = 'a', firmware = ${hash('f')}`,
  flashed: () => "state = 'flashed'",
  verified: () => "state = 'verified', proof = 'signature', locked = 1",
  exported: () => "state = 'exported', batch = 1",
  certified: () => "state = 'certified'",
  installed: () => "state = 'installed', generation = 1",
  void: () => "state = 'void', reason = 'scrapped'",
};

const batch = (direction: string, sequence: number, digit: string, previous = '0') =>
  `INSERT INTO batch (direction, sequence, manifest, sha256, previous, at)
   VALUES ('${direction}', ${sequence}, x'7b7d', ${hash(digit)}, ${hash(previous)}, ${now})`;
const certify = (unit: number | undefined, serial: string, generation = 1, batch = 1) =>
  `INSERT INTO certificate (unit, generation, der, serial, batch)
   VALUES (${unit}, ${generation}, x'3000', '${serial}', ${batch})`;
const node = (level: number, place: number, hash = 'zeroblob(32)') =>
  `INSERT INTO node VALUES (${level}, ${place}, ${hash})`;
const trusted = `INSERT INTO authority VALUES (1, '${'k'.repeat(60)}', ${now})`;

describe('the schema itself, against any SQL prompt,', () => {
  let directory: string;
  let sql: RawSql;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lineside-schema-'));
    const path = join(directory, 'registry.db');
    const registry = await createRegistry(path, leaf, clock);
    await registry.addLease(parseLease('00000001-00000010'));
    await registry.addLease(parseLease('00000020-00000030')); // leaves 0 and 1 of the log
    await registry.close();
    sql = await openRaw(path);
    await sql.exec(`${batch('out', 1, 'a')}; ${batch('in', 1, 'b')}; ${trusted};
      INSERT INTO batch_file VALUES ('in', 1, 'chain.pem', x'00'); INSERT INTO epoch VALUES (1, ${now})`);
    for (const state of unitStates) {
      await sql.exec(reserve(at[state] ?? 0));
      for (const step of lifeUpTo(state)) {
        await sql.exec(change(state, steps[step]?.(at[state] ?? 0) ?? ''));
        if (step === 'exported') await sql.exec(certify(at[state], `AB0${at[state]}`));
      }
    }
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

  test('lets every legal step pass, so that what is refused below is refused for its rule', async () => {
    const rows = await sql.all('SELECT id, state FROM unit ORDER BY id');
    expect(rows.map(({ state }) => state)).toEqual(unitStates);
    await attempt(reserve(10));
    await attempt("INSERT INTO log VALUES (2, x'7b7d')");
    await attempt('UPDATE lease SET next = next + 1 WHERE place = 1');
    await attempt('INSERT INTO lease (first, last, next) VALUES (17, 31, 17)');
    await attempt(
      `UPDATE batch SET written_at = ${now} WHERE direction = 'out'; ${batch('out', 2, 'c', 'a')}`,
    );
    await attempt(`${batch('in', 2, 'c', 'b')}; INSERT INTO batch_file VALUES ('in', 2, 'crl.pem', x'00')`);
    await attempt(certify(at.exported, 'AB98', 2));
    await attempt(`INSERT INTO log VALUES (2, x'7b7d'); ${node(0, 2)}; INSERT INTO log VALUES (3, x'7b7d');
      ${node(0, 3)}; ${node(1, 1)}; ${node(2, 0)}`);
    await attempt(`INSERT INTO epoch VALUES (2, ${now})`);
    await attempt(`UPDATE lease SET closed_at = ${now}`);
  });

  const legal = [
    'reserved keyed',
    'keyed flashing',
    'flashing flashed',
    'flashed verified',
    'verified exported',
    'exported certified',
    'certified installed',
    'installed installed',
    ...['reserved', 'keyed', 'flashing', 'flashed', 'verified'].map((from) => `${from} void`),
  ];
  const pairs = unitStates.flatMap((from) => unitStates.map((to) => ({ from, to })));
  test.each(pairs.filter(({ from, to }) => !legal.includes(`${from} ${to}`)))(
    'refuses the step from $from to $to',
    async ({ from, to }) => {
      const set = to === 'reserved' ? "state = 'reserved'" : (steps[to]?.(0) ?? '');
      await expect(attempt(change(from, set))).rejects.toThrow('illegal-transition');
    },
  );

  test.each(legal.map((pair) => pair.split(' ')))(
    'allows the step from %s to %s',
    async (from = '', to = '') => {
      await attempt(change(from, steps[to]?.(0) ?? ''));
    },
  );

  const check = 'CHECK constraint failed';
  const rules: readonly [rule: string, statement: string, refusal: string][] = [
    ['an id is in a lease', reserve(17), 'id-outside-lease'],
    ['an id is in a lease, also one the database picks', reserve('NULL'), 'id-outside-lease'],
    ['an id is used once', reserve(1), 'id-in-use'],
    ['an id is used once, also by replacing', reserve(5).replace('INSERT', 'INSERT OR REPLACE'), 'id-in-use'],
    ['an id is a number', reserve("'00000001'||'x'"), 'datatype mismatch'],
    ['an id never changes', change('reserved', `id = 10, ${steps.keyed?.(0)}`), 'never change'],
    ['a unit begins reserved', reserve(10, 'verified'), 'illegal-transition'],
    ['a unit begins in a state there is', reserve(10, 'perfect'), 'illegal-transition'],
    [
      'a unit begins without a key',
      reserve(10)
        .replace('(id', '(csr, spki, id')
        .replace('(10', `(x'30', ${hash('0')}, 10`),
      check,
    ],
    ['a unit begins unlocked', reserve(10).replace('(id', '(locked, id').replace('(10', '(1, 10'), check],
    [
      'a unit begins without a chip',
      reserve(10).replace('(id', '(uid, probe, id').replace('(10', "('00000000', 'a', 10"),
      check,
    ],
    ['a unit is never deleted', 'DELETE FROM unit WHERE id = 1', 'never done'],
    [
      'the time of reservation never changes',
      change('reserved', `${steps.keyed?.(0)}, reserved_at = '2027-11-23T09:00:00.000Z'`),
      'never change',
    ],
    [
      'a time is ISO 8601 with milliseconds',
      change('reserved', `${steps.keyed?.(0)}, changed_at = 'today'`),
      check,
    ],
    ['keyed means a CSR', change('reserved', `state = 'keyed', spki = ${hash('0')}`), check],
    ['keyed means a key hash', change('reserved', "state = 'keyed', csr = x'3000'"), check],
    ['keyed means a CSR and a key hash', change('reserved', "state = 'keyed'"), check],
    ['a CSR is not empty', change('reserved', `state = 'keyed', csr = x'', spki = ${hash('0')}`), check],
    [
      'a CSR has at most 1024 bytes',
      change('reserved', `state = 'keyed', csr = zeroblob(1025), spki = ${hash('0')}`),
      check,
    ],
    [
      'a CSR is bytes',
      change('reserved', `state = 'keyed', csr = 'text', spki = ${hash('0')}`),
      'cannot store TEXT',
    ],
    [
      'a key hash has 64 digits',
      change('reserved', `state = 'keyed', csr = x'3000', spki = '${'a'.repeat(63)}'`),
      check,
    ],
    [
      'a key hash is lower-case hex',
      change('reserved', `state = 'keyed', csr = x'3000', spki = ${hash('A')}`),
      check,
    ],
    [
      'a key hash hides nothing behind a NUL',
      change('reserved', `state = 'keyed', csr = x'3000', spki = ${hash('0')} || char(0) || 'd'`),
      check,
    ],
    ['a key is used once', change('reserved', steps.keyed?.(2) ?? ''), 'key-in-use'],
    [
      'a key is used once, also that of a void unit',
      `UPDATE unit SET state = 'void', reason = 'x' WHERE id = 2; ${change('reserved', steps.keyed?.(2) ?? '')}`,
      'key-in-use',
    ],
    [
      'a key is used once, also by replacing',
      change('reserved', steps.keyed?.(2) ?? '').replace('UPDATE', 'UPDATE OR REPLACE'),
      'key-in-use',
    ],
    [
      'a key is used once, also without the triggers',
      `DROP TRIGGER unit_changed; ${change('reserved', steps.keyed?.(2) ?? '')}`,
      'UNIQUE constraint failed: unit.spki',
    ],
    ['a CSR never changes', change('keyed', `${steps.flashing?.(0)}, csr = x'3001'`), 'never change'],
    [
      'a key hash never changes',
      change('keyed', `${steps.flashing?.(0)}, spki = ${hash('0')}`),
      'never change',
    ],
    [
      'a void unit keeps its CSR',
      change('keyed', `${steps.void?.(0)}, csr = NULL, spki = NULL`),
      'never change',
    ],
    ['flashing means a chip and a probe', change('keyed', "state = 'flashing'"), check],
    ['flashing means a chip', change('keyed', "state = 'flashing', probe = 'a'"), check],
    ['flashing means a probe', change('keyed', "state = 'flashing', uid = '00000000'"), check],
    [
      'a chip uid is 8 to 32 hex digits',
      change('keyed', "state = 'flashing', uid = '0000000', probe = 'a'"),
      check,
    ],
    [
      'a chip uid is upper-case hex',
      change('keyed', "state = 'flashing', uid = '0000000a', probe = 'a'"),
      check,
    ],
    [
      'a probe name has at most 40 bytes',
      change('keyed', `state = 'flashing', uid = '00000000', probe = '${'a'.repeat(41)}'`),
      check,
    ],
    [
      'a firmware hash has 64 digits',
      change('keyed', "state = 'flashing', uid = '00000000', probe = 'a', firmware = 'ff'"),
      check,
    ],
    ['a chip is one live unit', change('keyed', steps.flashing?.(4) ?? ''), 'board-in-use'],
    [
      'a chip is one live unit, also by replacing',
      change('keyed', steps.flashing?.(4) ?? '').replace('UPDATE', 'UPDATE OR REPLACE'),
      'board-in-use',
    ],
    [
      'a chip is one live unit, also without the triggers',
      `DROP TRIGGER unit_changed; ${change('keyed', steps.flashing?.(4) ?? '')}`,
      'UNIQUE constraint failed: unit.uid',
    ],
    [
      'a state is one of nine, also without the triggers',
      "DROP TRIGGER unit_changed; UPDATE unit SET state = 'perfect' WHERE id = 1",
      check,
    ],
    ['a chip never changes', change('flashing', "state = 'flashed', uid = '00000000'"), 'never change'],
    ['a probe never changes', change('flashing', "state = 'flashed', probe = 'b'"), 'never change'],
    [
      'a firmware never changes',
      change('flashing', `state = 'flashed', firmware = ${hash('e')}`),
      'never change',
    ],
    ['verified means a proof', change('flashed', "state = 'verified'"), check],
    ['a proof is one of two', change('flashed', "state = 'verified', proof = 'looks good'"), check],
    ['locked is yes or no', change('flashed', "state = 'verified', proof = 'signature', locked = 2"), check],
    ['locked needs a proof', change('flashed', "state = 'verified', locked = 1"), check],
    [
      'a proof does not come early',
      change('flashing', "state = 'flashed', proof = 'signature'"),
      'never change',
    ],
    ['a proof never changes', change('verified', "state = 'exported', proof = 'read-back'"), 'never change'],
    ['a lock never changes', change('verified', "state = 'exported', locked = 0"), 'never undone'],
    ['void means a reason', change('keyed', "state = 'void'"), check],
    ['a reason is not empty', change('keyed', "state = 'void', reason = ''"), check],
    [
      'a reason has at most 480 bytes',
      change('keyed', `state = 'void', reason = '${'a'.repeat(481)}'`),
      check,
    ],
    ['only void has a reason', change('reserved', `${steps.keyed?.(0)}, reason = 'x'`), check],
    ['leases do not overlap', 'INSERT INTO lease (first, last, next) VALUES (16, 17, 16)', 'lease-overlaps'],
    [
      'leases do not overlap, also by replacing',
      'INSERT OR REPLACE INTO lease (place, first, last, next) VALUES (1, 1, 15, 1)',
      'lease-overlaps',
    ],
    [
      'a lease is not replaced',
      'INSERT OR REPLACE INTO lease (place, first, last, next) VALUES (1, 100, 115, 100)',
      'takes the place',
    ],
    ['a lease begins at 1', 'INSERT INTO lease (first, last, next) VALUES (0, 0, 0)', check],
    [
      'a lease ends at FFFFFFFE',
      'INSERT INTO lease (first, last, next) VALUES (4294967295, 4294967295, 4294967295)',
      check,
    ],
    [
      'a lease has its last not below its first',
      'INSERT INTO lease (first, last, next) VALUES (101, 100, 101)',
      check,
    ],
    ['the next id of a lease is in it', 'UPDATE lease SET next = last + 2', check],
    ['the next id of a lease does not go back', 'UPDATE lease SET next = next', 'only upwards'],
    ['a lease does not move', 'UPDATE lease SET first = 2, next = 3 WHERE place = 1', 'only upwards'],
    ['a lease does not grow', 'UPDATE lease SET last = 100, next = next + 1 WHERE place = 2', 'only upwards'],
    ['a lease is never deleted', 'DELETE FROM lease', 'never done'],
    ['a leaf is never changed', "UPDATE log SET leaf = x'7b7d' WHERE n = 0", 'never done'],
    ['a leaf is never deleted', 'DELETE FROM log', 'never done'],
    ['a leaf is not replaced', "INSERT OR REPLACE INTO log VALUES (1, x'7b7d')", 'no gap'],
    ['a leaf leaves no gap', "INSERT INTO log VALUES (3, x'7b7d')", 'no gap'],
    ['a leaf has at most 4096 bytes', 'INSERT INTO log VALUES (2, zeroblob(4097))', check],
    ['a leaf is bytes', "INSERT INTO log VALUES (2, '{}')", 'cannot store TEXT'],
  ];

  const written = `written_at = ${now}`;
  const batchRules: readonly [rule: string, statement: string, refusal: string][] = [
    ['exported means a batch', change('verified', "state = 'exported'"), 'exported in the batch'],
    [
      'a unit goes into a batch there is',
      change('verified', "state = 'exported', batch = 2"),
      'exported in the batch',
    ],
    [
      'a unit goes into no batch that was written',
      `UPDATE batch SET ${written} WHERE direction = 'out'; ${change('verified', steps.exported?.(0) ?? '')}`,
      'exported in the batch',
    ],
    [
      'a batch of a unit does not come early',
      change('flashed', `${steps.verified?.(0)}, batch = 1`),
      'never changes',
    ],
    [
      'a batch of a unit never changes',
      change('exported', "state = 'certified', batch = 2"),
      'never changes',
    ],
    [
      'a batch of a unit is not taken back',
      change('exported', "state = 'certified', batch = NULL"),
      'never changes',
    ],
    [
      'only from exported on there is a batch',
      `DROP TRIGGER unit_changed; ${change('verified', 'batch = 1')}`,
      check,
    ],
    [
      'certified means a certificate',
      `${change('verified', steps.exported?.(0) ?? '')}; ${change('verified', "state = 'certified'")}`,
      'certified means a certificate',
    ],
    ['installed means a generation', change('certified', "state = 'installed'"), 'of that generation'],
    [
      'installed means a certificate of it',
      change('certified', "state = 'installed', generation = 2"),
      'of that generation',
    ],
    [
      'only installed has a generation',
      `DROP TRIGGER unit_changed; ${change('certified', 'generation = 1')}`,
      check,
    ],
    [
      'a device does not go back to an older generation',
      `${certify(at.installed, 'AB99', 2)}; ${change('installed', "state = 'installed', generation = 2")};
       ${change('installed', "state = 'installed', generation = 1")}`,
      'older generation',
    ],
    ['batches have no gap', batch('out', 3, 'c', 'a'), 'no gap'],
    ['a number of a batch is given once', batch('in', 1, 'c'), 'none twice'],
    [
      'a number of a batch is given once, also by replacing',
      batch('in', 1, 'c').replace('INSERT', 'INSERT OR REPLACE'),
      'none twice',
    ],
    ['batches begin at 1', `DROP TRIGGER batch_added; ${batch('in', 0, 'c')}`, check],
    ['a batch follows the one before', batch('in', 2, 'c', 'a'), 'follows'],
    [
      'a manifest is on record once',
      batch('in', 2, 'a', 'b').replace('INSERT', 'INSERT OR REPLACE'),
      'on record once',
    ],
    ['a batch goes out or comes in', batch('over', 1, 'c'), check],
    ['a batch waits for the one before it to be written', batch('out', 2, 'c', 'a'), 'written before'],
    ['what came in was not written', `UPDATE batch SET ${written} WHERE direction = 'in'`, check],
    [
      'a batch is written once',
      `UPDATE batch SET ${written} WHERE sequence = 1 AND direction = 'out'; UPDATE batch SET written_at = '2027-11-23T09:00:00.000Z' WHERE direction = 'out'`,
      'and once',
    ],
    [
      'a manifest never changes',
      `UPDATE batch SET ${written}, manifest = x'7b' WHERE direction = 'out'`,
      'and once',
    ],
    ['a manifest has at most 64 KiB', batch('in', 2, 'c', 'b').replace("x'7b7d'", 'zeroblob(65537)'), check],
    ['a batch is never deleted', 'DELETE FROM batch', 'never done'],
    ['a file came in a batch', "INSERT INTO batch_file VALUES ('in', 2, 'crl.pem', x'00')", 'last batch'],
    [
      'a file of the other direction went out in a batch',
      "INSERT INTO batch_file VALUES ('out', 2, 'checkpoint', x'00')",
      'last batch',
    ],
    ['a file has a known name', "INSERT INTO batch_file VALUES ('in', 1, 'key.pem', x'00')", check],
    [
      'a file is not replaced',
      "INSERT OR REPLACE INTO batch_file VALUES ('in', 1, 'chain.pem', x'01')",
      'on record once',
    ],
    ['a file never changes', "UPDATE batch_file SET bytes = x'01'", 'never done'],
    ['a file is never deleted', 'DELETE FROM batch_file', 'never done'],
    ['a certificate is for an exported unit', certify(at.verified, 'AB98'), 'illegal-transition'],
    ['a certificate is for a unit there is', certify(99, 'AB98'), 'illegal-transition'],
    ['a generation has one certificate', certify(at.exported, 'AB98'), 'certificate-differs'],
    [
      'a generation has one certificate, also by replacing',
      certify(at.exported, 'AB98').replace('INSERT', 'INSERT OR REPLACE'),
      'certificate-differs',
    ],
    ['a serial number is given once', certify(at.exported, `AB0${at.installed}`, 2), 'serial-in-use'],
    ['a serial number is upper-case hex', certify(at.exported, 'ab98', 2), check],
    ['a serial number has at most 20 bytes', certify(at.exported, 'AB'.repeat(21), 2), check],
    ['a certificate is not empty', certify(at.exported, 'AB98', 2).replace("x'3000'", "x''"), check],
    [
      'a certificate has at most 4096 bytes',
      certify(at.exported, 'AB98', 2).replace("x'3000'", 'zeroblob(4097)'),
      check,
    ],
    ['a certificate came in a batch', certify(at.exported, 'AB98', 2, 2), 'came in last'],
    ['generations begin at 1', certify(at.exported, 'AB98', 0), check],
    ['a certificate never changes', "UPDATE certificate SET der = x'3001'", 'never done'],
    ['a certificate is never deleted', 'DELETE FROM certificate', 'never done'],
    [
      'a CA is not exchanged',
      `INSERT OR REPLACE INTO authority VALUES (1, '${'l'.repeat(60)}', ${now})`,
      'authority-differs',
    ],
    ['a CA follows the one before it', trusted.replace('(1,', '(3,'), 'authority-differs'],
    ['a CA is trusted once', trusted.replace('(1,', '(2,'), 'authority-differs'],
    ['a CA never changes', `UPDATE authority SET verifier = '${'l'.repeat(60)}'`, 'never done'],
    ['a CA is never deleted', 'DELETE FROM authority', 'never done'],
  ];

  const treeRules: readonly [string, string, string][] = [
    ['a node is not there twice', node(0, 0), 'no second node'],
    ['a node is not replaced', node(0, 1).replace('INSERT', 'INSERT OR REPLACE'), 'no second node'],
    ['a level has no gap', node(1, 2), 'no gap'],
    ['a leaf is there before its hash', node(0, 2), 'before its hash'],
    [
      'a node covers two nodes',
      `INSERT INTO log VALUES (2, x'7b7d'); ${node(0, 2)}; ${node(1, 1)}`,
      'covers two',
    ],
    ['the lowest level is 0', node(-1, 0), check],
    ['a hash has 32 bytes', `INSERT INTO log VALUES (2, x'7b7d'); ${node(0, 2, 'zeroblob(31)')}`, check],
    ['a node never changes', 'UPDATE node SET hash = zeroblob(32)', 'never done'],
    ['a node is never deleted', 'DELETE FROM node', 'never done'],
    ['an epoch is later than all before', `INSERT INTO epoch VALUES (1, ${now})`, 'later than all'],
    ['an epoch is not replaced', `INSERT OR REPLACE INTO epoch VALUES (1, ${now})`, 'later than all'],
    ['an epoch has 32 bits', `INSERT INTO epoch VALUES (4294967296, ${now})`, check],
    ['an epoch never changes', 'UPDATE epoch SET number = 2', 'never done'],
    ['an epoch is never deleted', 'DELETE FROM epoch', 'never done'],
    ['a closed lease gives no id', `UPDATE lease SET closed_at = ${now}; ${reserve(10)}`, 'id-outside-lease'],
    [
      'a closed lease is not opened again',
      `UPDATE lease SET closed_at = ${now}; UPDATE lease SET closed_at = NULL`,
      'until it is closed',
    ],
    [
      'a closed lease does not go on',
      `UPDATE lease SET closed_at = ${now}; UPDATE lease SET next = next + 1`,
      'until it is closed',
    ],
  ];

  test.each([...rules, ...batchRules, ...treeRules])('holds that %s', async (_, statement, refusal) => {
    const before = await sql.all('SELECT * FROM unit ORDER BY id');
    await expect(attempt(statement)).rejects.toThrow(refusal);
    expect(await sql.all('SELECT * FROM unit ORDER BY id')).toEqual(before);
  });
});

function lifeUpTo(state: string): string[] {
  const life = ['keyed', 'flashing', 'flashed', 'verified', 'exported', 'certified', 'installed'];
  return state === 'void' ? ['keyed', 'void'] : life.slice(0, life.indexOf(state) + 1);
}
