import { spawn } from 'node:child_process';
import { program } from '../support/program.ts';

export interface Talk {
  /** All that was to be seen on the screen. */
  readonly screen: string;
  readonly code: number | null;
}

/**
 * Runs lineside on a terminal of its own (script(1)) and types each answer when its question is there, as a person
 * does: what is typed earlier would be echoed by the terminal itself.
 */
export function atTerminal(
  args: readonly string[],
  answers: readonly [question: string, keys: string][],
): Promise<Talk> {
  const command = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const open = [...answers];
  let screen = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    const [next] = open;
    if (!next || !screen.slice(seen).includes(next[0])) return;
    open.shift();
    seen = screen.length;
    child.stdin.write(next[1]);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ screen, code }));
  });
}
