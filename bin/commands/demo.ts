import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addDemo(program: Command, session: Session): void {
  program
    .command('demo')
    .description('the main job from start to end on three simulated boards')
    .action(() => run(session));
}

async function run(session: Session): Promise<void> {
  void session;
}
