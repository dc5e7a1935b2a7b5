import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { openRaw } from '../registry/temporary-registry.ts';
import { buildPrograms, command, removePrograms, run } from '../support/built-programs.ts';
import { newDirectory } from './temporary-ca.ts';

beforeAll(buildPrograms);
afterAll(removePrograms);

const requests = Array.from({ length: 8 }, (_, at) => assemble(goodParts(`0000000${at + 1}`)));

async function prepared() {
  const directory = await newDirectory();
  const file = join(directory, '..', 'requests');
  await writeFile(file, requests.map((request) => request.toString('base64')).join('\n'));
  return { directory, file, ledger: join(directory, 'ledger.db') };
}

/** What was handed out and is not on record, or is there twice, or differs from one time to the next. */
async function faults(ledger: string, handedOut: readonly Record<string, unknown>[]): Promise<string[]> {
  const sql = await openRaw(ledger);
  const rows = await sql.all('SELECT serial, device, csr, hex(der) AS der FROM certificate');
  await sql.close();
  const sha256 = (hex: unknown) =>
    createHash('sha256')
      .update(Buffer.from(String(hex), 'hex'))
      .digest('hex');
  const kept = new Map(rows.map((row) => [row['csr'], sha256(row['der'])]));
  const lost = handedOut.filter(({ csr, certificate }) => kept.get(csr) !== certificate);
  const serials = new Set(rows.map(({ serial }) => serial)).size === rows.length ? [] : ['a serial twice'];
  const ids = new Set(rows.map(({ device }) => device)).size === rows.length ? [] : ['a device twice'];
  return [...lost.map(({ csr }) => `${String(csr)} was handed out and is not on record`), ...serials, ...ids];
}

const calls = [
  ...[1, 2, 5, 13, 21, 34].map((nth) => `pwrite64:signal=KILL:when=${nth}`),
  ...[1, 2, 5, 8].map((nth) => `fsync:signal=KILL:when=${nth}`),
];

test.each(calls)('a CA killed at %s has on record all it handed out, nothing twice', async (call) => {
  const { directory, file, ledger } = await prepared();
  const watch = ['-P', ledger, '-P', `${ledger}-wal`, '-e', `inject=${call}`];
  const strace = ['strace', '-f', '-qq', '-o', '/dev/null', ...watch];
  const killed = await run([...strace, ...command('issue', directory, file)]);
  expect(killed.signal).toBe('SIGKILL');
  expect(await faults(ledger, killed.records)).toEqual([]);
  const again = await run(command('issue', directory, file));
  expect(again.records).toHaveLength(16);
  expect(await faults(ledger, [...killed.records, ...again.records])).toEqual([]);
});

test('a CA that hands out before it has it on record is found out by the same check', async () => {
  const { directory, file, ledger } = await prepared();
  const { records } = await run(command('issue', directory, file, 'before'));
  expect((await faults(ledger, records)).length).toBe(records.length);
});

test('each certificate is on the disk, not only with the kernel, before it is handed out', async () => {
  const { directory, file } = await prepared();
  const trace = join(directory, '..', 'trace');
  const strace = ['strace', '-f', '-e', 'trace=fsync,write', '-e', 'signal=none', '-o', trace];
  await run([...strace, ...command('issue', directory, file)]);
  const order = (await readFile(trace, 'utf8')).split('\n').map((line) => {
    if (/fsync\(\d+\) += 0|fsync resumed/.test(line)) return 'S';
    return /write\(1, .*csr/.test(line) ? 'H' : '';
  });
  const firstRound = order.join('').match(/^S*(S+H){8}/);
  expect(firstRound).not.toBeNull();
});
