import type { Command } from 'commander';
import { LinesideError } from '../../src/errors.ts';
import type { Session } from '../session.ts';

export function addRecover(program: Command, session: Session): void {
  program
    .command('recover')
    .description('erase a whole board, its identity and its lock, so that it can be made new')
    .option('--probe <name>', 'the probe; may be left out if the station has one')
    .option('--yes', 'yes, erase everything on it: its firmware, its key, its certificate')
    .action((options: { probe?: string; yes?: true }) => run(options.probe, options.yes, session));
}

async function run(
  name: string | undefined,
  permit: true | undefined,
  { station, ui, unitProgram }: Session,
): Promise<void> {
  if (!permit)
    throw new LinesideError('usage', {
      problem: 'recover erases the whole board: say --yes if that is meant',
    });
  const { chooseOneProbe } = await import('../../src/config.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const { recoverBoard } = await import('../../src/board.ts');
  const { file, registry } = await openStation(station);
  try {
    const probe = chooseOneProbe(file, name);
    const { uid, voided } = await recoverBoard(unitProgram, registry, file.chip, probe);
    const text = `board on probe ${probe.name} is blank${voided ? `; its unit ${voided} is void` : ''}`;
    ui.result({ type: 'recovered', probe: probe.name, uid, voided }, text);
  } finally {
    await registry.close();
  }
}
