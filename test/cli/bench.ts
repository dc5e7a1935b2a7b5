import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { program, scratch } from '../support/program.ts';

/** Where a transcript is played: an empty directory, `lineside` on the PATH, and boards. */
export interface Bench {
  /** What a shell prints for it, as the lines of a transcript. */
  readonly type: (command: string) => Promise<string[]>;
  /** What the operator's hands do: `boards 2`, `board 0 unplugged@64`, `board 0 swap`, `board 0 healthy`. */
  readonly act: (action: string) => Promise<void>;
}

export async function bench(): Promise<Bench> {
  const directory = await scratch();
  const tools = join(await scratch(), 'bin');
  mkdirSync(tools);
  writeFileSync(join(tools, 'lineside'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
    mode: 0o755,
  });
  const boards: Board[] = [];
  onTestFinished(async () => {
    await Promise.all(boards.map((board) => board.close()));
  });
  const stable = (text: string) => named(text.replaceAll(directory, '$PWD'), boards);
  return {
    type: async (command) => {
      const ports = boards.map((board, index) => [`PORT${index}`, String(board.port)]);
      const env = { PATH: `${tools}:${process.env['PATH']}`, LC_ALL: 'C', ...Object.fromEntries(ports) };
      const { stdout, stderr, code } = await shell(command, directory, env);
      const lines = [...linesOf(stable(stdout)), ...linesOf(stable(stderr)).map((line) => `! ${line}`)];
      return code === 0 ? lines : [...lines, `[exit ${code}]`];
    },
    act: async (action) => {
      const [, noun, first = '', verb] = /^(boards?) (\d+)(?: (\S+))?$/.exec(action) ?? [];
      const board = boards[Number(first)];
      if (noun === 'boards')
        while (boards.length < Number(first)) boards.push(await startBoard({ index: boards.length }));
      else if (verb === 'swap') board?.swap();
      else if (board) board.setFaults(verb === 'healthy' ? [] : [String(verb)]);
      else throw new Error(`nobody can do "${action}"`);
    },
  };
}

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

function shell(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = execFile('sh', ['-c', command], { cwd, env }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ stdout, stderr, code: Number(error?.code ?? 0) });
    });
    child.stdin?.end();
  });
}

/** What is another on every run, by a name that stays. */
function named(text: string, boards: readonly Board[]): string {
  return boards
    .reduce((line, { port }, index) => line.replaceAll(`sim:${port}`, `sim:$PORT${index}`), text)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replace(/\b04[0-9a-f]{128}\b/g, '<public key>')
    .replace(/\b[0-9a-f]{64}\b/g, '<sha256>')
    .replace(/\b[0-9a-f]{4}( [0-9a-f]{4}){7}\b/g, '<fingerprint>')
    .replace(/\+[0-9a-f]{8}(\+[A-Za-z0-9+/]{44})?\b/g, '+<key>')
    .replace(/\b[0-9A-F]{16}\b/g, '<uid>')
    .replace(/(-----BEGIN [A-Z ]+-----(?:\\n|\n)).+?((?:\\n|\n)-----END)/gs, '$1<base64>$2');
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
