import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { LinesideError } from '../../src/errors.ts';
import type { Session } from '../session.ts';

/** Simulated boards in a process of their own. */
export interface Boards {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

export async function startBoards(session: Session, count: number): Promise<Boards> {
  const sim = execa(
    session.program.node,
    [session.program.entry, 'sim', '--boards', String(count), '--json'],
    {
      buffer: false,
      reject: false,
      stderr: 'ignore',
    },
  );
  const ports: number[] = [];
  const lines = createInterface({ input: sim.stdout });
  lines.on('line', (line) => ports.push((JSON.parse(line) as { port: number }).port));
  const ended = once(lines, 'close').then(() => {
    throw new LinesideError('internal', { reason: 'the simulator did not start' });
  });
  ended.catch(() => {}); // it ends after the demo, too
  while (ports.length < count) await Promise.race([once(lines, 'line'), ended]);
  return {
    ports,
    stop: async () => {
      sim.kill('SIGTERM');
      await sim;
    },
  };
}
