import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, openAuthority } from '../src/authority-directory.ts';
import { assemble, goodParts } from '../test/csr/bad-requests.ts';
import { submit, trustedSender } from '../test/support/submitted.ts';

/*
 * What a big batch costs as the officer has it: `ca sign` and `ca reissue` as whole programs, from the directory on the
 * stick to the one that goes back, with the memory they took at their highest. 1,000, 10,000 and 100,000 requests, so
 * that what grows with their number is seen. Nothing is asserted, because the machine may be busy.
 */

const workshop = mkdtempSync(join(tmpdir(), 'lineside-bench-sign-'));
const program = join(import.meta.dirname, '..', 'dist', 'bin', 'lineside.js');
const password = join(workshop, 'password');
writeFileSync(password, 'correct horse battery staple');
const keys = { kind: 'file', passwords: 1 } as const;
const file = { profile: 'default', validDays: null, structure: 'roots', keys } as const;
const newCa = (name: string) =>
  createAuthority(join(workshop, name), { ...file, name }, readFileSync(password), new Date());

interface Cost {
  readonly seconds: number;
  readonly mebibytes: number;
}

async function measured(...args: string[]): Promise<Cost> {
  const from = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'ignore'] });
  let highest = 0;
  const watch = setInterval(() => (highest = Math.max(highest, highWater(child.pid ?? 0))), 20);
  const [code] = (await once(child, 'exit')) as [number];
  clearInterval(watch);
  if (code !== 0) throw new Error(`lineside ${args.join(' ')} ended with ${code}`);
  return { seconds: (performance.now() - from) / 1000, mebibytes: highest / 1024 };
}

/** proc(5), VmHWM: the most it ever had in memory, kB. */
function highWater(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function batchOf(count: number, ca: string): Promise<string> {
  await newCa(ca);
  const authority = await openAuthority(join(workshop, ca), new Date());
  const requests = Array.from({ length: count }, (_, at) =>
    assemble(goodParts((at + 1).toString(16).toUpperCase().padStart(8, '0'))),
  );
  const path = await submit(await trustedSender(authority), workshop, requests);
  await authority.ledger.close();
  return path;
}

/** What a run costs that has next to nothing to sign: start, keys, one request. */
const least: Record<string, number> = {};

function show(what: string, count: number, { seconds, mebibytes }: Cost): void {
  const rate = count / (seconds - (least[what] ??= seconds));
  const speed = count === 1 ? '' : `  ${rate.toFixed(0).padStart(6)}/s beyond that of one`;
  const size = `${mebibytes.toFixed(0).padStart(5)} MiB`;
  process.stdout.write(
    `${what.padEnd(10)} ${String(count).padStart(7)} requests ${seconds.toFixed(1).padStart(6)} s ${size}${speed}\n`,
  );
}

for (const count of [1, 1000, 10_000, 100_000]) {
  const [ca, next] = [`ca-${count}`, `next-${count}`];
  const batch = await batchOf(count, ca);
  const out = (name: string) => ['--out', join(workshop, `${name}-${count}`), '--password-file', password];
  const sign = await measured('ca', '--ca', join(workshop, ca), 'sign', batch, ...out('answer'));
  await newCa(next);
  const from = ['reissue', '--from', join(workshop, ca), ...out('fleet')];
  const reissue = await measured('ca', '--ca', join(workshop, next), ...from);
  show('ca sign', count, sign);
  show('ca reissue', count, reissue);
}
rmSync(workshop, { recursive: true });
