import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fleetStation } from './fleet-station.ts';

/*
 * What an audit costs: the built program on a station of so many certified units (the argument, or 10,000), beside the
 * limit that one verify for each signature sets, on both cores, as `openssl speed` has it in the same run; and its
 * memory beside that of Node alone and that of a quarter of the units. Nothing is asserted, because the machine may be
 * busy.
 */

const count = Number(process.argv[2] ?? 10_000);
const program = join(import.meta.dirname, '../dist/bin/lineside.js');
const workshop = mkdtempSync(join(tmpdir(), 'lineside-bench-audit-'));

interface Run {
  readonly seconds: number;
  /** KiB. */
  readonly peak: number;
}

/** Runs Node to its end and watches its memory. */
function run(...args: readonly string[]): Promise<Run> {
  const from = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  let peak = 0;
  const watch = setInterval(() => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 20);
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ seconds: (performance.now() - from) / 1000, peak });
      else reject(new Error(`exit ${code}`));
    });
  });
}

/** Verifies a second on both cores. */
function limit(): number {
  const speed = ['speed', '-elapsed', '-seconds', '3', '-multi', '2', 'ecdsap256'];
  const lines = execFileSync('openssl', speed, { stdio: 'pipe' }).toString().trim().split('\n');
  return Number(lines.at(-1)?.trim().split(/\s+/).at(-1));
}

const audit = (directory: string) => run(program, '--station', directory, 'registry', 'audit');

const bare = await run('-e', 'setTimeout(() => {}, 200)');
const station = await fleetStation(workshop);
await station.grow(Math.floor(count / 4));
const quarter = await audit(station.directory);
await station.grow(count - Math.floor(count / 4));
const before = limit();
const whole = await audit(station.directory);
const possible = (before + limit()) / 2 / 2; // a request and a certificate each
const size = statSync(join(station.directory, 'registry.db')).size;
rmSync(workshop, { recursive: true });

const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
const rate = count / whole.seconds;
process.stdout.write(`${count} units, a registry of ${(size / 1e6).toFixed(0)} MB, both cores, ${cpu}
audited: ${rate.toFixed(0)} units/s, x${(rate / possible).toFixed(2)} of one verify per signature by openssl speed
memory: x${(whole.peak / bare.peak).toFixed(1)} of Node alone, x${(whole.peak / quarter.peak).toFixed(2)} of a quarter of the units
`);
