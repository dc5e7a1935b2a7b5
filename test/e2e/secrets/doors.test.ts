import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Board } from '../../../sim/board.ts';
import { UnitProcess } from '../../../src/unit/unit-process.ts';
import { coreLimit, descendant, environmentOf, listeningPorts } from '../../support/processes.ts';
import { boards, program, scratch, station } from '../../support/program.ts';
import { start } from '../../support/running.ts';

const sigusr1 = 10;
const unitEntry = join(dirname(program), 'unit.js');

/** A board, a station for it, and a unit process that was just started. */
async function oneBoard(): Promise<{ board: Board; directory: string }> {
  const [board] = await boards([]);
  if (!board) throw new Error('a board was asked for');
  return { board, directory: await station([board]) };
}

function startUnit(): { unit: UnitProcess; pid: number } {
  const unit = UnitProcess.start({ node: process.execPath, entry: unitEntry });
  onTestFinished(() => unit.end());
  if (unit.pid === undefined) throw new Error('the unit process did not start');
  return { unit, pid: unit.pid };
}

const probeOf = (board: Board) => ({ name: 'a', interface: 'sim' as const, serial: String(board.port) });

/** Returns as soon as SIGUSR1 would not end the process but is caught: first by Node itself, then by our code. */
function untilSigusr1IsCaught(pid: number): void {
  const limit = Date.now() + 5000;
  const caught = () =>
    /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
  while (((BigInt(`0x${caught()}`) >> BigInt(sigusr1 - 1)) & 1n) === 0n) {
    if (Date.now() > limit) throw new Error('SIGUSR1 is never caught');
  }
}

test('a bare node opens its debugger at SIGUSR1, and that is seen', async () => {
  const bare = spawn(process.execPath, ['--inspect-port=0', '-e', 'setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => void bare.kill('SIGKILL'));
  const pid = bare.pid ?? 0;
  untilSigusr1IsCaught(pid);
  expect(listeningPorts(pid)).toEqual([]);
  bare.kill('SIGUSR1');
  await once(bare.stderr, 'data');
  expect(listeningPorts(pid)).toHaveLength(1);
});

test('SIGUSR1 opens no debugger in the unit process, not even before its first line of code', async () => {
  const { board } = await oneBoard();
  const { unit, pid } = startUnit();
  untilSigusr1IsCaught(pid);
  process.kill(pid, 'SIGUSR1');
  await unit.examine('nrf52840', probeOf(board));
  expect(listeningPorts(pid)).toEqual([]);
  process.kill(pid, 'SIGUSR1');
  await unit.examine('nrf52840', probeOf(board)); // its event loop has gone round: the signal was handled
  expect(listeningPorts(pid)).toEqual([]);
});

test('SIGUSR1 opens no debugger in the station process once it works', async () => {
  const { directory } = await oneBoard();
  const run = start(['--station', directory, 'provision']);
  const ports: number[][] = [];
  run.onLine((line) => {
    if (line.startsWith('PASS')) return; // it is about to end, and takes its handlers down
    ports.push(listeningPorts(run.pid));
    process.kill(run.pid, 'SIGUSR1');
  });
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(ports.length).toBeGreaterThan(4);
  expect(ports.flat()).toEqual([]);
});

test('code that NODE_OPTIONS loads into the station process does not get into the unit process', async () => {
  const { directory } = await oneBoard();
  const room = await scratch();
  const evil = join(room, 'evil.cjs');
  const log = join(room, 'loaded');
  await writeFile(evil, `require('fs').appendFileSync('${log}', process.argv[1] + '\\n')`);
  const run = start(['--station', directory, 'provision'], {
    environment: { NODE_OPTIONS: `--require ${evil}` },
  });
  expect(await run.ended).toMatchObject({ code: 0 });
  // The station process is the caller's own: nothing can keep him out of it, and it has no key.
  expect(await readFile(log, 'utf8')).toBe(`${program}\n`);
});

test('unit process and OpenOCD get no variable of the caller, and may leave no core file', async () => {
  const { directory } = await oneBoard();
  const environment = {
    LD_PRELOAD: '/nonexistent/evil.so',
    SSLKEYLOGFILE: '/tmp/keys',
    OPENOCD_DEBUG_LEVEL: '4',
  };
  const unlimited = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'];
  const run = start(['--station', directory, 'provision'], { environment, under: unlimited });
  await run.line('programming');
  const unit = descendant(run.pid, 'unit.js');
  const openocd = descendant(run.pid, 'openocd');
  expect(environmentOf(run.pid)).toMatchObject(environment);
  expect(coreLimit(run.pid)).toBe('unlimited unlimited');
  // glibc cuts its own variable in pieces where it lies.
  const variables = Object.keys(environmentOf(unit.pid)).filter((name) => !name.startsWith('glibc.'));
  expect(variables.sort()).toEqual([
    'GLIBC_TUNABLES',
    'NODE_CHANNEL_FD',
    'NODE_CHANNEL_SERIALIZATION_MODE',
    'PATH',
    'PWD',
  ]);
  expect(Object.keys(environmentOf(openocd.pid)).sort()).toEqual(['HOME', 'PATH']);
  expect([coreLimit(unit.pid), coreLimit(openocd.pid)]).toEqual(['0 0', '0 0']);
  expect(await run.ended).toMatchObject({ code: 0 });
});

test('a unit process that may leave a core file makes no key', async () => {
  const unlimited = ['-c', 'ulimit -c unlimited; exec "$@"', 'sh', process.execPath, unitEntry];
  const unit = spawn('sh', unlimited, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  onTestFinished(() => void unit.kill('SIGKILL'));
  unit.send({ n: 1, body: { do: 'make-key', id: '00000001' } });
  const [reply] = await once(unit, 'message');
  expect(reply).toMatchObject({ n: 1, body: { kind: 'failed', code: 'core-dumps-enabled' } });
});

test('neither unit process nor OpenOCD listens on any port', async () => {
  const { directory } = await oneBoard();
  const run = start(['--station', directory, 'provision']);
  await run.line('programming');
  const pids = [descendant(run.pid, 'unit.js').pid, descendant(run.pid, 'openocd').pid];
  expect(pids.flatMap(listeningPorts)).toEqual([]);
  expect(listeningPorts(process.pid)).not.toEqual([]); // the simulated board's
  expect(await run.ended).toMatchObject({ code: 0 });
});
