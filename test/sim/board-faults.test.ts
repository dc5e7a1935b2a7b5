import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { COMPARE_WORDS, NO_WORK_AREA, openocd, WRITE_WORDS } from './openocd.ts';

// What each fault looks like from OpenOCD 0.12 on the st-link backend.

let board: Board;

beforeEach(async () => {
  board = await startBoard({ index: 0 });
});

afterEach(() => board.close());

/** Erase, write eight words, compare; each step says its return code. */
const ATTEMPT = `init; poll off; halt
  echo "dpidr [nrf52.dap dpreg 0] cpuid [mdw 0xe000ed00] part [mdw 0x10000100]"
  echo "erase [catch { flash erase_address 0xff000 0x1000 }]"
  echo "write [catch { ${WRITE_WORDS} }]"
  echo "compare [catch { ${COMPARE_WORDS} }]"
  shutdown`;

async function attempt(...faults: string[]): Promise<string> {
  board.setFaults(faults);
  return (await openocd(board, ATTEMPT, NO_WORK_AREA)).output;
}

test('without a fault all is well', async () => {
  const output = await attempt();
  expect(output).toMatch(/erase 0\n[^]*write 0\n[^]*MATCH\n[^]*compare 0\n/);
  expect(output).toContain('dpidr 0x2ba01477');
});

test('absent: init fails, and works once the board is there', async () => {
  board.setFaults(['absent']);
  const absent = await openocd(board, 'init; shutdown');
  expect(absent.code).toBe(1);
  expect(absent.output).toContain('init mode failed (unable to connect to the target)');
  expect(await attempt()).toContain('MATCH');
});

test('unplugged in mid-write: the write fails, and what was accepted stays', async () => {
  const output = await attempt('unplugged@16');
  expect(output).toContain('Fail reading CTRL/STAT register. Force reconnect');
  expect(output).toContain('Failed to write memory and, additionally, failed to find out where');
  expect(output).toContain('write 1\n');
  expect(output).toContain('compare 1\n');
  expect(board.flash.subarray(0xff00c, 0xff010)).toEqual(Uint8Array.of(0x44, 0x44, 0x44, 0x44));
  expect(board.flash[0xff010]).toBe(0xff);
  board.ram[0] = 1;
  expect(await attempt()).toContain('MATCH');
  expect(board.ram[0]).toBe(0);
});

test('unplugged while the loader runs: it stops at that word', async () => {
  board.setFaults(['unplugged@100']);
  const { output } = await openocd(
    board,
    'init; reset halt; echo "fill [catch { flash fillw 0 0 1000 }]"; shutdown',
  );
  expect(output).toMatch(/fill -\d+\n/);
  expect(board.flash[99]).toBe(0);
  expect(board.flash[100]).toBe(0xff);
});

test('a few WAITs are retried by the probe', async () => {
  expect(await attempt('wait-once@16')).toContain('MATCH');
  expect(await attempt('wait-once')).toContain('MATCH');
});

test('WAIT for ever ends the write', async () => {
  const output = await attempt('wait-forever@16');
  expect(output).toContain('write 1\n');
  expect(output).toContain('compare 1\n');
  expect(await attempt()).toContain('MATCH');
});

test('WAIT for ever from the start: init succeeds but finds no MEM-AP', async () => {
  board.setFaults(['wait-forever']);
  const { code, output } = await openocd(board, 'init; shutdown');
  expect(output).toContain('Could not find MEM-AP to control the core');
  expect(code).toBe(0);
});

test('a bus fault is reported at the address after it', async () => {
  const output = await attempt('fault@0xff010');
  expect(output).toContain('Failed to write memory at 0x000ff014');
  expect(output).toContain('write 1\n');
});

test('one parity error fails the write, and nothing retries it', async () => {
  const output = await attempt('parity-once@16');
  expect(output).toContain('write 1\n');
  expect(output).toContain('DIFF');
  expect(output).not.toContain('Fail reading CTRL/STAT');
});

test('parity errors without end lose the connection', async () => {
  const output = await attempt('parity@16');
  expect(output).toContain('write 1\n');
  expect(output).toContain('Fail reading CTRL/STAT register. Force reconnect');
});

test('a weak bit shows in the comparison and nowhere else', async () => {
  const output = await attempt('weak-bit@0xff005');
  expect(output).toContain('write 0\n');
  expect(output).toContain('DIFF');
});

test('OpenOCD does not mind a wrong DPIDR', async () => {
  const output = await attempt('wrong-dpidr');
  expect(output).toContain('dpidr 0x0bc11477');
  expect(output).toContain('MATCH');
});

test('OpenOCD does not mind another chip of the family', async () => {
  const output = await attempt('wrong-chip');
  expect(output).toContain('part 0x10000100: 00052833');
  expect(output).toContain('MATCH');
});

test('OpenOCD does not mind another core', async () => {
  const output = await attempt('other-core');
  expect(output).toContain('Cortex-M33');
  expect(output).toContain('cpuid 0xe000ed00: 410fd214');
  expect(output).toContain('MATCH');
});

test('small flash: there is nothing at the identity page', async () => {
  const output = await attempt('small-flash');
  expect(output).toContain('512kB Flash');
  expect(output).toContain('No flash at address 0x000ff000');
  expect(output).toContain('erase -4\n');
});

test('an NVMC that is never ready fails the erase', async () => {
  const output = await attempt('flash-busy');
  expect(output).toContain('Read only enable did not complete');
  expect(output).toContain('erase -4\n');
});

test('an NVMC that is never ready from the 16th byte on fails the write', async () => {
  const output = await attempt('flash-busy@16');
  expect(output).toContain('erase 0\n');
  expect(output).toContain('write 1\n');
  expect(board.flash[0xff010]).toBe(0xff);
  const fillw = await openocd(
    board,
    'init; reset halt; echo "fill [catch { flash fillw 0x1000 0 1 }]"; shutdown',
  );
  expect(fillw.output).toContain('fill -905');
});

test('a probe that goes away fails the write, refuses connections, and comes back when the fault is cleared', async () => {
  const output = await attempt('probe-gone@16');
  expect(output).toContain('failed to receive USB CMD response');
  expect(output).toContain('write 1\n');
  const refused = await openocd(board, 'init; shutdown');
  expect(refused.output).toContain('cannot connect to stlink server, errno: Connection refused');
  expect(refused.code).toBe(1);
  const port = board.port;
  expect(await attempt()).toContain('MATCH');
  expect(board.port).toBe(port);
});

test('an unknown fault is an error, and the board stays as it was', async () => {
  expect(() => board.setFaults(['on-fire'])).toThrow('unknown fault "on-fire"');
  await expect(startBoard({ index: 1, faults: ['on-fire'] })).rejects.toThrow('allowed are');
  expect(await attempt()).toContain('MATCH');
});
