import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';

const root = resolve(import.meta.dirname, '../..');
const built = join(root, 'node_modules/.cache', `registry-programs-${process.pid}`);

/** Builds the programs of this folder, beside node_modules so that they find their packages. */
export async function buildPrograms(): Promise<void> {
  const entryPoints = ['work', 'open', 'fill'].map((name) => join(root, `test/registry/programs/${name}.ts`));
  const form = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
  await build({ entryPoints, ...form, outdir: built, outbase: root });
}

export async function removePrograms(): Promise<void> {
  await rm(built, { recursive: true, force: true });
}

/** A program's command line, to be run by itself or at the end of another one. */
export function command(program: 'work' | 'open' | 'fill', ...parameters: string[]): string[] {
  return [process.execPath, join(built, `test/registry/programs/${program}.js`), ...parameters];
}

/** Runs a command to its end, stdin empty. */
export async function run(
  argv: readonly string[],
  user?: number,
): Promise<{ records: Record<string, unknown>[]; signal: string | undefined }> {
  const [file = '', ...rest] = argv;
  const identity = user === undefined ? {} : { uid: user, gid: user };
  const ended = await execa(file, rest, { reject: false, stdin: 'ignore', env: oneThread, ...identity });
  const lines = ended.stdout.split('\n').filter((line) => line.startsWith('{'));
  return { records: lines.map((line) => JSON.parse(line)), signal: ended.signal };
}

/** Runs a command in a mount namespace of its own, after `mounts`; what it mounts is gone when it ends. */
export function inOwnMounts(mounts: string, argv: readonly string[]): string[] {
  return ['unshare', '--mount', 'sh', '-ec', `${mounts}; exec "$@"`, 'sh', ...argv];
}

/** Starts a program that holds the registry, and returns when it says that it does. */
export async function hold(argv: readonly string[]) {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  await new Promise((said) => child.stdout.once('data', said));
  return { kill: () => child.kill('SIGKILL'), ended };
}

/** strace counts a system call for each thread; with one thread in libuv's pool the count is SQLite's. */
const oneThread = { UV_THREADPOOL_SIZE: '1' };
