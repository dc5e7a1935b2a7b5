import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that the kernel kills when ours ends, however that happens. */
export function startMortal(program: string, args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { stdio });
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** The first group of the first line of this form, or the line. */
export function saysLine(stream: NodeJS.ReadableStream | null, form: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    if (!stream) throw new Error('no stream to read');
    const lines = createInterface({ input: stream });
    lines.on('line', (text) => {
      const match = form.exec(text);
      if (match) found(match[1] ?? text);
    });
    lines.once('close', () => failed(new Error(`it ended without saying ${form}`)));
  });
}
