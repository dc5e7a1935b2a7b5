import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Board } from '../../../sim/board.ts';
import { deviceIdFromNumber } from '../../../src/device.ts';
import { UnitProcess } from '../../../src/unit/unit-process.ts';
import { signingSecrets } from '../../support/ecdsa-nonce.ts';
import type { Search } from '../../support/memory-image.ts';
import { heldKeys, searchMemory } from '../../support/memory-search.ts';
import { descendant, isAlive } from '../../support/processes.ts';
import { boards, identityOn, program } from '../../support/program.ts';

const unitsPerLane = 25;
const leastResident = 32 * 1024 * 1024;

/** A unit process that has made its key; what is done to it is up to the test. */
async function unitWithKey(board: Board, number = 1) {
  const unit = UnitProcess.start({ node: process.execPath, entry: join(dirname(program), 'unit.js') });
  onTestFinished(() => unit.end());
  await unit.examine('nrf52840', { name: 'a', interface: 'sim', serial: String(board.port) });
  const csr = await unit.makeKey(deviceIdFromNumber(number));
  const { pid } = unit;
  if (pid === undefined) throw new Error('the unit process did not start');
  return { unit, csr, pid };
}

/** The key, and what its signature would give it away by. */
function secretsOf(csr: Uint8Array, key: Uint8Array) {
  return { key, ...signingSecrets(csr, key) };
}

async function provisionAndSearch(board: Board, number: number): Promise<Search> {
  const { unit, csr, pid } = await unitWithKey(board, number);
  await unit.program(null);
  await unit.writeIdentity();
  const search = await searchMemory(pid, secretsOf(csr, identityOn(board).privateKey));
  await unit.end();
  return search;
}

test('once the identity is written, no unit process of 50 holds its key or its nonce in any form', async () => {
  const lane = async (board: Board, first: number) => {
    const searches: Search[] = [];
    for (let number = first; number < first + unitsPerLane; number += 1) {
      searches.push(await provisionAndSearch(board, number));
      board.swap();
    }
    return searches;
  };
  const [a, b] = await boards([], []);
  if (!a || !b) throw new Error('two boards were asked for');
  const searches = (await Promise.all([lane(a, 1), lane(b, 1001)])).flat();
  expect(searches.flatMap(({ found }) => found)).toEqual([]);
  expect(searches.filter(({ scannedBytes }) => scannedBytes > leastResident)).toHaveLength(2 * unitsPerLane);
}, 120_000);

test('before the identity is written, the same search finds the key, as it must', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('a board was asked for');
  const { unit, csr, pid } = await unitWithKey(board);
  const held = await heldKeys(pid);
  const before = await searchMemory(pid, secretsOf(csr, held[0] ?? Buffer.alloc(32)));
  await unit.program(null);
  await unit.writeIdentity();
  expect(held).toEqual([identityOn(board).privateKey]);
  expect(before.found).toEqual(['key: raw in [heap]']);
});

/** Each goes wrong after the key was made, and what then is to be thrown. */
const failures: Readonly<Record<string, string>> = {
  'weak-bit@0xFF048': 'identity-differs',
  'weak-bit@0xFF070': 'identity-differs', // in the key itself
  'unplugged@40': 'write-failed',
  'unplugged@112': 'write-failed', // in the key itself
  'unplugged@140': 'write-failed',
  'flash-busy@60': 'flash-not-ready',
  'probe-gone@60': 'write-failed',
  absent: 'halt-failed',
};

test('no copy is left after a write that failed, wherever it failed', async () => {
  const [a, b] = await boards([], []);
  if (!a || !b) throw new Error('two boards were asked for');
  const left: Record<string, readonly string[]> = {};
  const queue = Object.keys(failures);
  const lane = async (board: Board) => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      left[fault] = await failAndSearch(board, fault);
    }
  };
  await Promise.all([lane(a), lane(b)]);
  expect(left).toEqual(Object.fromEntries(Object.keys(failures).map((fault) => [fault, []])));
});

async function failAndSearch(board: Board, fault: string): Promise<readonly string[]> {
  board.swap();
  const { unit, csr, pid } = await unitWithKey(board);
  const key = await onlyKey(pid);
  board.setFaults([fault]);
  const written = unit.program(null).then(() => unit.writeIdentity());
  await expect(written, fault).rejects.toMatchObject({ code: failures[fault] });
  const { found } = await searchMemory(pid, secretsOf(csr, key));
  board.setFaults([]);
  await unit.end();
  return found;
}

test('no copy is left when OpenOCD dies', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('a board was asked for');
  const { unit, csr, pid } = await unitWithKey(board);
  const key = await onlyKey(pid);
  process.kill(descendant(pid, 'openocd').pid, 'SIGKILL');
  await expect(unit.program(null)).rejects.toMatchObject({ code: 'openocd-died' });
  expect((await searchMemory(pid, secretsOf(csr, key))).found).toEqual([]);
});

test('OpenOCD, which holds the key until it ends, is gone when the unit process is, even if it hangs', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('a board was asked for');
  const { unit, pid } = await unitWithKey(board);
  await unit.program(null);
  await unit.writeIdentity();
  const openocd = descendant(pid, 'openocd');
  onTestFinished(() => {
    if (isAlive(openocd.pid)) process.kill(openocd.pid, 'SIGKILL');
  });
  process.kill(openocd.pid, 'SIGSTOP');
  expect(isAlive(openocd.pid)).toBe(true);
  await unit.end();
  expect([isAlive(openocd.pid), isAlive(pid)]).toEqual([false, false]);
});

/** The key that the unit process holds, from its memory: a board that fails may never get it. */
async function onlyKey(pid: number): Promise<Buffer> {
  const [key, ...others] = await heldKeys(pid);
  if (!key || others.length > 0) throw new Error('the unit process holds one key in PKCS#8');
  return key;
}
