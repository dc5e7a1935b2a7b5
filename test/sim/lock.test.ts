import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { openocd } from './openocd.ts';

const APPROTECT = 0x208;
const LOCK = 'flash probe 1; echo [flash fillw 0x10001208 0xFFFFFF00 1]';
const STATUS = 'echo "status [nrf52.dap apreg 1 0xc]"';
const IS_LOCKED = 'nRF52 device has AP lock engaged';

let board: Board;

beforeEach(async () => {
  board = await startBoard({ index: 0 });
});

afterEach(() => board.close());

test('APPROTECT is latched at the reset after it was written, not before', async () => {
  const { output } = await openocd(
    board,
    `init; reset halt; ${LOCK}; ${STATUS}; echo "still readable [mdw 0x10001208]"
     set rc [catch { reset halt } text]; echo "rc $rc $text"; ${STATUS}; shutdown`,
  );
  expect(output).toMatch(/status 0x0*1\s/);
  expect(output).toContain('still readable 0x10001208: ffffff00');
  expect(output).toContain('rc -4 TARGET: nrf52.cpu - Not halted');
  expect(output).toMatch(/status 0x0+\s/);
  expect(board.config[APPROTECT]).toBe(0);
});

test('a locked board: init succeeds with a warning, then nothing can be reached but the CTRL-AP', async () => {
  board.setFaults(['locked']);
  board.flash.set([1, 2, 3, 4]);
  const { code, output } = await openocd(
    board,
    `init; ${STATUS}; echo "idr [nrf52.dap apreg 1 0xfc]"; echo "examined [nrf52.cpu was_examined]"
     set rc [catch { halt }]; echo "halt $rc"; set rc [catch { echo [mdw 0] }]; echo "read $rc"
     echo "csw [nrf52.dap apreg 0 0]"; shutdown`,
  );
  expect(code).toBe(0);
  expect(output).toContain('Failed to read memory at 0xe000ed04');
  expect(output).toContain(IS_LOCKED);
  expect(output).toContain('target nrf52.cpu examination failed');
  expect(output).toMatch(/status 0x0+\s/);
  expect(output).toContain('idr 0x02880000');
  expect(output).toContain('examined 0');
  expect(output).toMatch(/halt [^0]/);
  expect(output).toMatch(/read [^0]/);
  const csw = Number.parseInt(/csw (0x[0-9a-f]+)/.exec(output)?.[1] ?? '', 16);
  expect(csw & 0x40).toBe(0);
});

test('nrf52_recover erases flash, UICR and RAM, and opens the board', async () => {
  board.setFaults(['locked']);
  board.flash.fill(0x5a);
  board.ram.fill(0x5a);
  const { output } = await openocd(
    board,
    `init; nrf52_recover; ${STATUS}; reset halt; echo "uicr [mdw 0x10001208]"; shutdown`,
  );
  expect(output).toContain('Waiting for chip erase...');
  expect(output).toContain('device has been successfully erased and unlocked');
  expect(output).toMatch(/status 0x0*1\s/);
  expect(output).toContain('uicr 0x10001208: ffffffff');
  expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
  expect(board.ram.every((byte) => byte === 0)).toBe(true);
  const again = await openocd(board, 'init; halt; shutdown');
  expect(again.output).not.toContain(IS_LOCKED);
});

test('a lock that came as a fault goes with it', async () => {
  board.setFaults(['locked']);
  board.setFaults([]);
  const { output } = await openocd(board, `init; halt; ${STATUS}; shutdown`);
  expect(output).toMatch(/status 0x0*1\s/);
});

test('a lock survives a power cycle, and its flash survives being read at', async () => {
  await openocd(board, `init; reset halt; flash fillw 0 0x12345678 1; ${LOCK}; shutdown`);
  board.powerCycle();
  const { output } = await openocd(board, 'init; shutdown');
  expect(output).toContain(IS_LOCKED);
  expect(board.flash[0]).toBe(0x78);
});

test('with stuck-lock neither the lock nor the recovery takes, though both seem to', async () => {
  board.setFaults(['stuck-lock']);
  const lock = await openocd(board, `init; reset halt; ${LOCK}; reset halt; ${STATUS}; shutdown`);
  expect(lock.output).toContain('wrote 4 bytes to 0x10001208');
  expect(lock.output).toMatch(/status 0x0*1\s/);
  expect(board.config[APPROTECT]).toBe(0);

  board.setFaults(['locked', 'stuck-lock']);
  board.flash[0] = 0x5a;
  const recover = await openocd(board, `init; catch nrf52_recover; ${STATUS}; shutdown`);
  expect(recover.output).toContain('device has been successfully erased and unlocked');
  expect(recover.output).toMatch(/status 0x0+\s/);
  expect(board.flash[0]).toBe(0x5a);
});

test('without a CTRL-AP a good board warns of a lock only if it cannot be examined', async () => {
  board.setFaults(['no-ctrl-ap']);
  const open = await openocd(board, 'init; echo "idr [nrf52.dap apreg 1 0xfc]"; shutdown');
  expect(open.output).toContain('idr 0x00000000');
  expect(open.output).not.toContain(IS_LOCKED);
  board.setFaults(['no-ctrl-ap', 'locked']);
  const locked = await openocd(board, 'init; nrf52_recover; shutdown');
  expect(locked.output).toContain(IS_LOCKED);
  expect(locked.output).toContain('Cannot access nRF52 CTRL-AP');
});
