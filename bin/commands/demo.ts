import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addDemo(program: Command, session: Session): void {
  program
    .command('demo')
    .description('the main job from start to end on three simulated boards')
    .argument('[dir]', 'keep the station in this new directory; without it nothing is kept')
    .action((directory: string | undefined) => run(directory, session));
}

/**
 * Types what an operator would type, and shows it: every step is this same program run anew, so the simulated
 * boards, and with them the keys, live in another process than the station.
 */
async function run(directory: string | undefined, session: Session): Promise<void> {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const path = await import('node:path');
  const workshop = await mkdtemp(path.join(tmpdir(), 'lineside-demo-'));
  const { startBoards } = await import('../demo/boards.ts');
  const boards = await startBoards(session, 3);
  try {
    const { playDemo } = await import('../demo/play.ts');
    await playDemo(session, workshop, directory ?? path.join(workshop, 'st07'), boards.ports);
  } finally {
    await boards.stop();
    await rm(workshop, { recursive: true });
  }
}
