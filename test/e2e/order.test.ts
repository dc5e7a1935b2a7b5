import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { Board } from '../../sim/board.ts';
import { verifyCsr } from '../../src/csr/verify.ts';
import { descendant } from '../support/processes.ts';
import { boards, lineside, program, records, station } from '../support/program.ts';
import { start } from '../support/running.ts';

/*
 * Whatever moment the power goes at: no board holds a key whose CSR is not in the registry, no id and no key is
 * used twice, and the next start settles what was left. The station is killed at each system call on its registry
 * and at flash words; the unit process at flash words as well.
 */

const identityPage = 0xff000;
const pointAt = 32;
const scalarAt = 104;

interface Unit {
  readonly id: string;
  readonly state: string;
  readonly csr: string | null;
  readonly spkiSha256: string | null;
}

async function units(directory: string): Promise<Unit[]> {
  const list = await lineside(['--json', '--station', directory, 'registry', 'list']);
  expect(list.stderr + list.code).toMatch(/0$/);
  return records(list.stdout) as unknown as Unit[];
}

function keyOf(unit: Unit): Buffer {
  const pem = unit.csr ?? '';
  return Buffer.from(verifyCsr(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')).publicKey);
}

/** The registry must know the key of which any byte lies on the board. Says how much of a key it found there. */
function holdsOnlyKnownKeys(board: Board, known: readonly Unit[]): 'none' | 'part' | 'whole' {
  const page = Buffer.from(board.flash.subarray(identityPage, identityPage + 168));
  const scalar = page.subarray(scalarAt, scalarAt + 32);
  if (scalar.every((byte) => byte === 0xff)) return 'none';
  const point = page.subarray(pointAt, pointAt + 65); // written before the scalar, so whole by now
  const owner = known.find((unit) => unit.csr !== null && keyOf(unit).equals(point));
  expect(owner, 'a key on the board whose CSR is not in the registry').toBeDefined();
  expect(['flashing', 'flashed', 'verified']).toContain(owner?.state);
  return page.readUInt32LE(0) === 0xffffffff ? 'part' : 'whole';
}

function nothingUsedTwice(known: readonly Unit[]): void {
  const keys = known.map((unit) => unit.spkiSha256).filter((key) => key !== null);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(known.map((unit) => unit.id)).size).toBe(known.length);
}

/** After the cut the line goes on: a fresh board passes. */
async function lineGoesOn(directory: string, board: Board): Promise<void> {
  board.swap();
  expect(await lineside(['--station', directory, 'provision'])).toMatchObject({ code: 0 });
  const left = (await units(directory)).filter(({ state }) => state === 'reserved' || state === 'keyed');
  expect(left, 'units that no key can have left the PC of are void after the next start').toEqual([]);
}

describe('the station is killed at a system call on its registry', () => {
  test('and at none of them a key is on a board before its CSR is on record', async () => {
    const [board] = (await boards([])) as [Board];
    const directory = await station([board]);
    const seen = new Set<string>();
    for (const call of ['pwrite64', 'fsync']) {
      for (let nth = 1; ; nth += call === 'fsync' ? 1 : 5) {
        board.swap();
        const run = await lineside(['--station', directory, 'provision'], killedAt(call, nth, directory));
        if (run.code === 0) break; // past the last call: the run was not cut
        const known = await units(directory);
        seen.add(`${holdsOnlyKnownKeys(board, known)} ${known.at(-1)?.state}`);
        nothingUsedTwice(known);
      }
    }
    await lineGoesOn(directory, board);
    // The sweep really went through the life of a unit, before the key, with it, and after it.
    expect([...seen].join(', ')).toMatch(/none reserved/);
    expect([...seen].join(', ')).toMatch(/none keyed/);
    expect([...seen].join(', ')).toMatch(/whole (flashing|flashed)/);
  }, 240_000);
});

/** One thread does all the registry's work, so that the n-th call is always the same one. */
function killedAt(call: string, nth: number, directory: string): string[] {
  const files = ['registry.db', 'registry.db-wal'].flatMap((file) => ['-P', `${directory}/${file}`]);
  const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
  return [
    'env',
    'UV_THREADPOOL_SIZE=1',
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    ...files,
    '-e',
    `trace=${call}`,
    '-e',
    inject,
  ];
}

test('a unit process that dies before any key was sent costs no board: the unit failed, nothing is in doubt', async () => {
  const [board] = (await boards([])) as [Board];
  const directory = await station([board]);
  const run = start(['--json', '--station', directory, 'provision']);
  await run.line('connecting');
  process.kill(descendant(run.pid, 'unit.js').pid, 'SIGKILL');
  const ended = await run.ended;
  expect(ended.code).toBe(1);
  expect(records(ended.stdout)).toMatchObject([{ result: 'fail', error: 'unit-died' }]);
  await lineGoesOn(directory, board);
});

describe.each(['station', 'unit process', 'OpenOCD'] as const)(
  'the %s is killed while a word is written',
  (victim) => {
    test.each([1, 20, 41, 42])('word %i of the identity page', async (nth) => {
      const [board] = (await boards([])) as [Board];
      const directory = await station([board]);
      const run = spawn(process.execPath, [program, '--station', directory, 'provision'], {
        stdio: 'ignore',
      });
      let words = 0;
      board.onFlashWrite = (address) => {
        if (address < identityPage) return;
        words += 1;
        if (words === nth) process.kill(victimOf(victim, run.pid ?? 0), 'SIGKILL');
      };
      const [code] = (await once(run, 'exit')) as [number | null];
      board.onFlashWrite = () => {};
      expect(words).toBeGreaterThanOrEqual(nth);
      expect(code).not.toBe(0);

      const known = await units(directory);
      if (known.at(-1)?.state !== 'void') holdsOnlyKnownKeys(board, known);
      nothingUsedTwice(known);
      await lineGoesOn(directory, board);
    });
  },
);

function victimOf(victim: 'station' | 'unit process' | 'OpenOCD', stationPid: number): number {
  if (victim === 'station') return stationPid;
  return descendant(stationPid, victim === 'unit process' ? 'unit.js' : 'target/nrf52.cfg').pid;
}
