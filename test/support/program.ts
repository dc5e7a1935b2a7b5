import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Board, type ChipName, startBoard } from '../../sim/board.ts';

/** The built program: tests run what operators run. */
export const program = fileURLToPath(new URL('../../dist/bin/lineside.js', import.meta.url));
if (!existsSync(program)) throw new Error('run "npm run build" first: these tests drive the built program');

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs lineside to its end. `under` is put before node, for example `['strace', '-f']`. */
export function lineside(args: readonly string[], under: readonly string[] = []): Promise<Ended> {
  const [file = '', ...rest] = [...under, process.execPath, program, ...args];
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
}

/** The JSON records of a run's stdout. */
export function records(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A new directory that goes with the test. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Simulated boards in this process, so that a test can look into their flash; they go with the test. */
export async function boardsWith(chip: ChipName, ...faults: (readonly string[])[]): Promise<Board[]> {
  const started = await Promise.all(faults.map((each, index) => startBoard({ index, chip, faults: each })));
  onTestFinished(async () => {
    await Promise.all(started.map((board) => board.close()));
  });
  return started;
}

/** The same with the chip that most tests are about. */
export function boards(...faults: (readonly string[])[]): Promise<Board[]> {
  return boardsWith('nrf52840', ...faults);
}

/** A new station whose probes a, b, c… are these boards, all of one chip. */
export async function station(line: readonly Board[], lease = '00000001-000000FF'): Promise<string> {
  const directory = join(await scratch(), 'st07');
  const probes = line.map((board, index) => `${String.fromCharCode(97 + index)}=sim:${board.port}`);
  const init = await lineside([
    'init',
    directory,
    '--name',
    'st07',
    '--chip',
    line[0]?.chip ?? 'nrf52840',
    '--lease',
    lease,
    ...(probes.length > 0 ? ['--probe', ...probes] : []),
  ]);
  if (init.code !== 0) throw new Error(init.stderr);
  return directory;
}

/** Where the factory pages lie, counted from the start of the flash; docs/decisions/0023 says why. */
export const factoryPages = {
  nrf52840: { credentials: 0xfe000, identity: 0xff000 },
  stm32f405: { credentials: 0xc0000, identity: 0xe0000 },
} as const satisfies Record<ChipName, object>;

/** The bytes of the board's identity page. */
export function identityPageOn({ chip, flash }: Board): Buffer {
  const { identity } = factoryPages[chip];
  return Buffer.from(flash.subarray(identity, identity + 168));
}

/** What that page holds: id, public key and the private key that only a test may look at. */
export function identityOn(board: Board): { id: string; publicKey: Uint8Array; privateKey: Uint8Array } {
  const page = identityPageOn(board);
  return {
    id: page.toString('latin1', 20, 28),
    publicKey: page.subarray(32, 97),
    privateKey: page.subarray(104, 136),
  };
}
