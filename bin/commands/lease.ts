import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function addLease(program: Command, session: Session): void {
  program
    .command('lease')
    .description('take a lease of device ids that the CA has signed for this station')
    .argument('<file>', 'the signed lease')
    .action((path: string) => run(path, session));
}

async function run(path: string, { station, ui }: Session): Promise<void> {
  const { takeLease } = await import('../../src/take-lease.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const open = await openStation(station);
  try {
    const { result, lease } = await takeLease(open, path);
    const range = `${lease.first}-${lease.last}`;
    const text = result === 'already' ? `lease ${range} was taken before` : `lease ${range} is taken`;
    ui.result({ type: 'lease', result, lease: range }, text);
  } finally {
    await open.registry.close();
  }
}
