import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Board, startBoard } from '../sim/board.ts';

/*
 * What one unit costs over a plain OpenOCD that erases, writes and compares the same page, on the same simulated
 * board, turn by turn in one run; and what --help costs over a bare node. Medians; nothing is asserted, because
 * the machine may be busy. The board is simulated in this process, which both sides wait for alike.
 */

const rounds = 15;
const program = join(import.meta.dirname, '../dist/bin/lineside.js');
const workshop = mkdtempSync(join(tmpdir(), 'lineside-bench-'));

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function time(file: string, args: readonly string[]): Promise<number> {
  const from = performance.now();
  const child = spawn(file, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: exit code ${code}`);
  return performance.now() - from;
}

function plainOpenOcd(board: Board): Promise<number> {
  const page = join(workshop, 'page.bin');
  writeFileSync(page, Buffer.alloc(168, 0x5a));
  const adapter = `adapter driver st-link; st-link backend tcp ${board.port}; st-link vid_pid 0x0483 0x3748`;
  const job = `init; halt; flash write_image erase ${page} 0xff000; verify_image ${page} 0xff000; reset run; shutdown`;
  const ports = 'gdb_port disabled; telnet_port disabled; tcl_port disabled';
  const probe = ['-c', ports, '-c', `${adapter}; transport select dapdirect_swd`];
  return time('openocd', [...probe, '-f', '/usr/share/openocd/scripts/target/nrf52.cfg', '-c', job]);
}

/** From the moment the station turns to a board that was placed until PASS, in a line that runs. */
async function runningLine(station: string, board: Board): Promise<number[]> {
  const line = spawn(process.execPath, [
    program,
    '--station',
    station,
    'provision',
    '--count',
    String(rounds),
  ]);
  const times: number[] = [];
  let from = 0;
  createInterface({ input: line.stderr }).on('line', (text) => {
    if (text.endsWith('waiting for the next board')) board.swap();
    if (text.endsWith('connecting')) from = performance.now();
  });
  createInterface({ input: line.stdout }).on('line', (text) => {
    if (text.startsWith('PASS')) times.push(performance.now() - from);
  });
  await once(line, 'exit');
  return times;
}

const board = await startBoard({ index: 0 });
const station = join(workshop, 'st07');
const init = ['init', station, '--name', 'st07', '--chip', 'nrf52840', '--probe', `a=sim:${board.port}`];
execFileSync(process.execPath, [program, ...init]);

const cold: number[] = [];
const plain: number[] = [];
const help: number[] = [];
const bare: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  board.swap();
  plain.push(await plainOpenOcd(board));
  board.swap();
  cold.push(await time(process.execPath, [program, '--station', station, 'provision']));
  bare.push(await time(process.execPath, ['-e', '0']));
  help.push(await time(process.execPath, [program, '--help']));
}
board.swap();
const warm = await runningLine(station, board);
await board.close();
rmSync(workshop, { recursive: true });

const row = (name: string, values: readonly number[], base: readonly number[]) => {
  const [own, other] = [median(values), median(base)];
  const over = `${(own - other).toFixed(0).padStart(5)} ms over, x${(own / other).toFixed(2)}`;
  process.stdout.write(`${name.padEnd(44)} ${own.toFixed(0).padStart(5)} ms  ${over}\n`);
};
row('plain openocd: erase, write, compare, reset', plain, plain);
row('lineside, one unit in a running line', warm, plain);
row('lineside, one unit as a whole command', cold, plain);
row('node -e 0', bare, bare);
row('lineside --help', help, bare);
