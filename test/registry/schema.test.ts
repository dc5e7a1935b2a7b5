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
  exported: () => "state = 'exported'",
  certified: () => "state = 'certified'",
  installed: () => "state = 'installed'",
  void: () => "state = 'void', reason = 'scrapped'",
};

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
    for (const state of unitStates) {
      await sql.exec(reserve(at[state] ?? 0));
      for (const step of lifeUpTo(state)) await sql.exec(change(state, steps[step]?.(at[state] ?? 0) ?? ''));
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
  });

  const legal = [
    'reserved keyed',
    'keyed flashing',
    'flashing flashed',
    'flashed verified',
    'verified exported',
    'exported certified',
    'certified installed',
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
    ['a lock never changes', change('verified', "state = 'exported', locked = 0"), 'never change'],
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
      'INSERT OR REPLACE INTO lease VALUES (1, 1, 15, 1)',
      'lease-overlaps',
    ],
    ['a lease is not replaced', 'INSERT OR REPLACE INTO lease VALUES (1, 100, 115, 100)', 'takes the place'],
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

  test.each(rules)('holds that %s', async (_, statement, refusal) => {
    const before = await sql.all('SELECT * FROM unit ORDER BY id');
    await expect(attempt(statement)).rejects.toThrow(refusal);
    expect(await sql.all('SELECT * FROM unit ORDER BY id')).toEqual(before);
  });
});

function lifeUpTo(state: string): string[] {
  const life = ['keyed', 'flashing', 'flashed', 'verified', 'exported', 'certified', 'installed'];
  return state === 'void' ? ['keyed', 'void'] : life.slice(0, life.indexOf(state) + 1);
}
