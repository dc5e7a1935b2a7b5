import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addInspect(program: Command, session: Session): void {
  program
    .command('inspect')
    .description('read the public identity of the board on a probe')
    .option('--probe <name>', 'the probe; may be left out if the station has one')
    .action((options: { probe?: string }) => run(options.probe, session));
}

async function run(name: string | undefined, { station, ui, unitProgram }: Session): Promise<void> {
  const { chooseOneProbe } = await import('../../src/config.ts');
  const { readStation } = await import('../../src/station-directory.ts');
  const { inspectBoard } = await import('../../src/board.ts');
  const file = await readStation(station);
  const probe = chooseOneProbe(file, name);
  const { uid, id, publicKey, spkiSha256 } = await inspectBoard(unitProgram, file.chip, probe);
  const lines = [
    `device id    ${id}`,
    `public key   ${publicKey}`,
    `SPKI SHA-256 ${spkiSha256}`,
    `chip uid     ${uid}`,
  ];
  ui.result({ type: 'identity', probe: probe.name, id, publicKey, spkiSha256, uid }, ...lines);
}
