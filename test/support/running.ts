import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { type Ended, program } from './program.ts';

/** lineside at work. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Is told every line of stdout and stderr from now on, as it arrives. */
  onLine(listener: (line: string) => void): void;
  /** The first line with this text, also one that has been. */
  line(text: string): Promise<string>;
}

interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  /** Put before node. */
  readonly under?: readonly string[];
}

/** Starts lineside as the leader of a process group of its own, as a shell does; it goes with the test. */
export function start(args: readonly string[], { environment, under = [] }: Circumstances = {}): Running {
  const [file = '', ...rest] = [...under, process.execPath, program, ...args];
  const env = { ...process.env, ...environment };
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} did not start`);
  const lines: string[] = [];
  const listeners: ((line: string) => void)[] = [];
  const seen = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    createInterface(child[name]).on('line', (line) => {
      seen[name] += `${line}\n`;
      lines.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve({ ...seen, code, signal })),
  );
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  const line = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const take = (each: string) => each.includes(text) && resolve(each);
      for (const each of lines) take(each);
      listeners.push(take);
      void ended.then(({ stderr }) => reject(new Error(`it ended without "${text}": ${stderr}`)));
    });
  return { pid, ended, line, onLine: (listener) => listeners.push(listener) };
}
