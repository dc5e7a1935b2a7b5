import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { NO_WORK_AREA, openocd } from './openocd.ts';

const KIB = 1024;

let board: Board;
let folder: string;
let unimplemented: string[];

beforeEach(async () => {
  board = await startBoard({ index: 0 });
  unimplemented = [];
  board.onUnimplemented = (what) => unimplemented.push(what);
  folder = mkdtempSync(join(tmpdir(), 'sim-'));
});

afterEach(async () => {
  await board.close();
  rmSync(folder, { recursive: true });
});

function image(size: number): { path: string; bytes: Buffer } {
  const bytes = randomBytes(size);
  const path = join(folder, 'image.bin');
  writeFileSync(path, bytes);
  return { path, bytes };
}

const flashHolds = (bytes: Buffer, at = 0) => bytes.equals(board.flash.subarray(at, at + bytes.length));

test('a plain OpenOCD examines, halts, resets and identifies the chip, and meets nothing unknown', async () => {
  const { code, output } = await openocd(
    board,
    'init; halt; flash probe 0; echo [mdw 0x10000060 2]; reset halt; echo [nrf52.cpu curstate]; reset run; shutdown',
  );
  expect(output).toContain('STLINK V2J37S7 (API v2) VID:PID 0483:3748');
  expect(output).toContain('SWD DPIDR 0x2ba01477');
  expect(output).toContain('Cortex-M4 r0p1 processor detected');
  expect(output).toContain('6 breakpoints, 4 watchpoints');
  expect(output).toContain('nRF52840-xxAA(build code: D0) 1024kB Flash, 256kB RAM');
  const id = board.uniqueId.toString(16).padStart(16, '0');
  expect(output).toContain(`0x10000060: ${id.slice(8)} ${id.slice(0, 8)}`);
  expect(output).toMatch(/^halted$/m);
  expect(code).toBe(0);
  expect(unimplemented).toEqual([]);
});

test('a serial number that is not the probe’s is refused', async () => {
  const { code, output } = await openocd(board, 'init; shutdown', 'adapter serial LINESIDE-SIM-7');
  expect(output).toContain('serial mismatch');
  expect(code).toBe(1);
});

test('a blank chip is in lockup after reset, and halts all the same', async () => {
  const { output } = await openocd(board, 'init; halt; echo [nrf52.cpu curstate]; shutdown');
  expect(output).toContain('clearing lockup after double fault');
  expect(output).toMatch(/^halted$/m);
});

test('memory of every width is read and written', async () => {
  const { output } = await openocd(
    board,
    `init; halt; mww 0x20000000 0x11223344; mwh 0x20000006 0xabcd; mwb 0x20000005 0x77
     echo [mdw 0x20000000 2]; echo [mdh 0x20000002 2]; echo [mdb 0x20000003 4]; shutdown`,
  );
  expect(output).toContain('0x20000000: 11223344 abcd7700');
  expect(output).toContain('0x20000002: 1122 7700');
  expect(output).toContain('0x20000003: 11 00 77 cd');
});

test('registers go to the core with a resume, and come back with its breakpoint', async () => {
  const { output } = await openocd(
    board,
    `init; reset halt
     mww 0x20000100 0xbe003401 ;# ADDS R4, #1; BKPT
     reg r4 0x12345678; reg msp 0x20001000; reg psp 0x20002000; reg d1 0x3f80000040000000; reg xPSR 0x01000000
     resume 0x20000100; wait_halt 1000
     foreach name {pc r4 sp msp psp d1 xPSR} { echo [reg $name force] }
     step 0x20000100; echo [reg r4 force]; echo [reg pc force]; shutdown`,
  );
  expect(output).toContain('halted due to breakpoint');
  expect(output).toContain('pc (/32): 0x20000102');
  expect(output).toContain('r4 (/32): 0x12345679');
  expect(output).toContain('sp (/32): 0x20001000');
  expect(output).toContain('msp (/32): 0x20001000');
  expect(output).toContain('psp (/32): 0x20002000');
  expect(output).toContain('d1 (/64): 0x3f80000040000000');
  expect(output).toContain('xPSR (/32): 0x01000000');
  expect(output).toMatch(/r4 \(\/32\): 0x1234567a\n[^]*pc \(\/32\): 0x20000102\n[^]*shutdown/);
});

test('a vector table in flash starts the core; without one a fault in RAM ends in lockup', async () => {
  board.flash.set(Buffer.from('0010002001010000', 'hex'));
  board.powerCycle();
  const running = await openocd(
    board,
    'init; reset run; sleep 10; echo [nrf52.cpu curstate]; halt; echo [reg pc]; echo [reg sp]; shutdown',
  );
  expect(running.output).not.toContain('lockup');
  expect(running.output).toMatch(/^running$/m);
  expect(running.output).toContain('pc (/32): 0x00000100');
  expect(running.output).toContain('sp (/32): 0x20001000');
  const fault = await openocd(
    board,
    // LDR R0, [R0] of an address nobody answers
    `init; reset halt; mww 0x20000100 0xbe006800; reg r0 0x70000000; resume 0x20000100; sleep 10; poll
     echo "cfsr [mdw 0xe000ed28] bfar [mdw 0xe000ed38]"; shutdown`,
  );
  expect(fault.output).toContain('clearing lockup after double fault');
  expect(fault.output).toContain('cfsr 0xe000ed28: 00008200');
  expect(fault.output).toContain('bfar 0xe000ed38: 70000000');
  const astray = await openocd(
    board,
    // BX R0 to where there is no code
    'init; reset halt; mww 0x20000100 0xbe004700; reg r0 0x70000001; resume 0x20000100; sleep 10; poll; shutdown',
  );
  expect(astray.output).toContain('clearing lockup after double fault');
});

describe('programming', () => {
  test('with the loader: OpenOCD’s own code runs from RAM and leaves its data there', async () => {
    const { path, bytes } = image(64 * KIB);
    const { code, output } = await openocd(
      board,
      `init; reset halt; flash erase_address 0 0x10000; flash write_bank 0 ${path} 0; echo [verify_image ${path} 0]; shutdown`,
    );
    expect(code).toBe(0);
    expect(output).toContain('verified 65536 bytes');
    expect(flashHolds(bytes)).toBe(true);
    // Twelve instructions copy a word; the CRC needs more than fifty for each byte.
    expect(board.instructions).toBeGreaterThan(64 * KIB * 50);
    expect(Buffer.from(board.ram).includes(bytes.subarray(-4096, -4080))).toBe(true);
    expect(unimplemented).toEqual([]);
  });

  test('with WORKAREASIZE 0: word by word, no instruction runs, nothing is left in RAM', async () => {
    const { path, bytes } = image(KIB);
    const { code, output } = await openocd(
      board,
      `init; reset halt; flash write_bank 0 ${path} 0x7f000; echo [verify_image ${path} 0x7f000]; shutdown`,
      NO_WORK_AREA,
    );
    expect(code).toBe(0);
    expect(output).toContain('falling back to slow memory writes');
    expect(output).toContain('verified 1024 bytes');
    expect(flashHolds(bytes, 0x7f000)).toBe(true);
    expect(board.instructions).toBe(0);
    expect(board.ram.every((byte) => byte === 0)).toBe(true);
  });

  test('the CRC of verify_image is computed on the target, and tells a wrong bit', async () => {
    const { path, bytes } = image(16 * KIB);
    board.flash.set(bytes);
    board.flash[5000] = (board.flash[5000] ?? 0) ^ 0x10;
    const { output } = await openocd(
      board,
      `init; reset halt; set rc [catch { verify_image ${path} 0 } text]; echo "rc $rc $text"; shutdown`,
    );
    expect(output).toContain('checksum mismatch');
    expect(output).toContain('diff 0 address 0x00001388');
    expect(output).toMatch(/rc -?[1-9]/);
    expect(board.instructions).toBeGreaterThan(16 * KIB * 50);
  });

  test('fillw, with READY polled by the driver', async () => {
    const { code, output } = await openocd(
      board,
      'init; reset halt; echo [flash fillw 0xff000 0x12345678 8]; shutdown',
    );
    expect(output).toContain('wrote 32 bytes to 0x000ff000');
    expect(code).toBe(0);
    expect(flashHolds(Buffer.from('78563412'.repeat(8).concat('ffffffff'), 'hex'), 0xff000)).toBe(true);
  });

  test('flash erase_check runs the blank-check loader', async () => {
    board.flash[0x3000] = 0;
    const { output } = await openocd(board, 'init; reset halt; echo [flash erase_check 0]; shutdown');
    expect(output).toContain('successfully checked erase state');
    expect(output.match(/0x\w+ \(0x1000 4kB\) not erased/g)).toEqual(['0x00003000 (0x1000 4kB) not erased']);
    expect(board.instructions).toBeGreaterThan(1024);
  });

  test('nrf5 mass_erase takes flash and UICR', async () => {
    board.flash.fill(0);
    board.config.fill(0x55);
    const { output } = await openocd(board, 'init; reset halt; nrf5 mass_erase; shutdown');
    expect(output).toContain('Mass erase completed');
    expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
    expect(board.config.every((byte) => byte === 0xff)).toBe(true);
  });

  test('a write without WEN fails and changes nothing', async () => {
    const { output } = await openocd(
      board,
      'init; halt; set rc [catch { mww 0xff000 0 }]; echo "rc $rc"; shutdown',
    );
    expect(output).toContain('Failed to write memory at 0x000ff004');
    expect(output).toMatch(/rc [^0]/);
    expect(board.flash[0xff000]).toBe(0xff);
  });

  test('every word is told to onFlashWrite', async () => {
    const words: [number, number][] = [];
    board.onFlashWrite = (address, value) => words.push([address, value]);
    await openocd(board, 'init; halt; mww 0x4001e504 1; mww 0xff000 0xfedcba98; shutdown');
    expect(words).toEqual([[0xff000, 0xfedcba98]]);
  });
});
