import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addInstall(program: Command, session: Session): void {
  program
    .command('install')
    .description('put its certificate on a board, in a second pass; its identity is not touched')
    .option('--probe <name>', 'the probe; may be left out if the station has one')
    .option('--lock', 'close the debug port as the last step, and prove it')
    .action((options: Options) => run(options, session));
}

interface Options {
  readonly probe?: string;
  readonly lock?: true;
}

async function run({ probe: name, lock }: Options, { station, ui, unitProgram }: Session): Promise<void> {
  const { chooseOneProbe } = await import('../../src/config.ts');
  const { installCredentials } = await import('../../src/install.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const open = await openStation(station);
  try {
    const probe = chooseOneProbe(open.file, name);
    const debugPort = lock ? 'lock' : 'leave-open';
    const { id, uid, generation } = await installCredentials(unitProgram, open, probe, debugPort);
    const record = { type: 'installed', id, uid, probe: probe.name, generation };
    ui.verdict(record, 'pass', `${id}  ${probe.name}  certificate of generation ${generation}`);
  } finally {
    await open.registry.close();
  }
}
