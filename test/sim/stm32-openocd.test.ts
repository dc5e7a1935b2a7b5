import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { openocd } from './openocd.ts';

// The stock OpenOCD with its own stm32f4x.cfg on the simulated STM32F405.

let board: Board;
let folder: string;
let unimplemented: string[];

beforeEach(async () => {
  board = await startBoard({ index: 0, chip: 'stm32f405' });
  unimplemented = [];
  board.onUnimplemented = (what) => unimplemented.push(what);
  folder = mkdtempSync(join(tmpdir(), 'sim-'));
});

afterEach(async () => {
  await board.close();
  rmSync(folder, { recursive: true });
});

/** Each command says whether it failed. */
const script = (...commands: string[]) =>
  `init; ${commands.map((each, n) => `echo "${n}: [catch { ${each} } text] $text"`).join('; ')}; shutdown`;

test('OpenOCD examines, halts, resets and identifies the chip, and meets nothing unknown', async () => {
  const { code, output } = await openocd(
    board,
    'init; halt; flash probe 0; echo [flash info 0]; echo [mdw 0x1fff7a10 3]; reset halt; reset run; shutdown',
  );
  expect(code).toBe(0);
  expect(output).toContain('Cortex-M4 r0p1 processor detected');
  expect(output).toContain('device id = 0x10076413');
  expect(output).toContain('flash size = 1024 KiB');
  expect(output).toContain('STM32F4xx - Rev: 1');
  expect(output).toMatch(/# {2}3: 0x0000c000 \(0x4000 16kB\) not protected/);
  expect(output).toMatch(/# 11: 0x000e0000 \(0x20000 128kB\) not protected/);
  const id = board.uniqueId.toString(16).padStart(24, '0');
  expect(output).toContain(`0x1fff7a10: ${id.slice(16)} ${id.slice(8, 16)} ${id.slice(0, 8)}`);
  expect(unimplemented).toEqual([]);
});

test('OpenOCD’s loader programs halfword by halfword, and a last byte by itself', async () => {
  const bytes = randomBytes(17_001); // longer than its buffer of 16 KiB: the loader waits for more and wraps
  const path = join(folder, 'image.bin');
  writeFileSync(path, bytes);
  const { output } = await openocd(
    board,
    script('reset halt', `flash write_bank 0 ${path} 0x8000`, `verify_image ${path} 0x08008000 bin`),
  );
  expect(output).toContain('1: 0 wrote 17001 bytes from file');
  expect(output).toContain('2: 0 verified 17001 bytes');
  expect(bytes.equals(board.flash.subarray(0x8000, 0x8000 + bytes.length))).toBe(true);
  expect(Buffer.from(board.ram).includes(bytes.subarray(-64, -48))).toBe(true);
  expect(board.instructions).toBeGreaterThan(17_001 * 50);
  expect(unimplemented).toEqual([]);
});

test('a write-protected sector is neither erased nor programmed, and OpenOCD hears of it', async () => {
  const { output } = await openocd(
    board,
    script(
      'reset halt',
      'flash protect 0 2 2 on',
      'reset halt',
      'flash erase_sector 0 2 2',
      'flash fillh 0x08008000 0x1234 4',
      'flash fillh 0x0800c000 0x1234 4',
    ),
  );
  expect(output).toMatch(/stm32x device protected[^]*^3: -\d/m);
  expect(output).toMatch(/flash memory write protected[^]*^4: -\d/m);
  expect(output).toContain('5: 0 wrote 8 bytes to 0x0800c000');
  expect([board.flash[0x8000], board.flash[0xc000]]).toEqual([0xff, 0x34]);
});

test('locked, the chip is examined and its RAM is read, but nothing of its flash; unlocked, it is blank', async () => {
  board.flash.fill(0x5a);
  const locked = await openocd(
    board,
    script(
      'reset halt',
      'stm32f2x lock 0',
      'reset halt',
      'read_memory 0x08000000 32 1',
      'read_memory 0x20000000 32 1',
    ),
  );
  expect(locked.output).toContain('1: 0 stm32f2x locked');
  expect(locked.output).toMatch(/^3: [^0]/m);
  expect(locked.output).toContain('4: 0 0x');
  expect(board.locked).toBe(true);
  board.powerCycle();
  const unlocked = await openocd(
    board,
    script('read_memory 0x080e0000 32 1', 'stm32f2x unlock 0', 'reset halt', 'read_memory 0x080e0000 32 1'),
  );
  expect(unlocked.output).toMatch(/^0: [^0]/m);
  expect(unlocked.output).toContain('1: 0 stm32f2x unlocked');
  expect(unlocked.output).toContain('3: 0 0xffffffff');
  expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
});

test('at level 2 there is no chip any more', async () => {
  const setLevel2 = 'mww 0x40023c08 0x08192a3b; mww 0x40023c08 0x4c5d6e7f; mww 0x40023c14 0x0fffccee';
  await openocd(board, script('reset halt', setLevel2, 'catch { reset run }'));
  board.powerCycle();
  const { output } = await openocd(board, 'init; shutdown');
  expect(output).toContain('init mode failed (unable to connect to the target)');
});

test('a fault that the chip cannot have is refused, and not among the allowed ones', () => {
  expect(() => board.setFaults(['no-ctrl-ap'])).toThrow(
    /^unknown fault "no-ctrl-ap", allowed are (?!.*ctrl-ap)/,
  );
});
