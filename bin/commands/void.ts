import type { Command } from 'commander';
import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import type { Session } from '../session.ts';

export function addVoid(program: Command, session: Session): void {
  program
    .command('void')
    .description('give up a unit for ever: its id and key are never used again')
    .argument('<id>', 'device id', parseDeviceId)
    .requiredOption('--reason <text>', 'why, for the log')
    .action((id: DeviceId, { reason }: { reason: string }) => run(id, reason, session));
}

async function run(id: DeviceId, reason: string, { station, ui }: Session): Promise<void> {
  const { openStation } = await import('../../src/station-directory.ts');
  const { registry } = await openStation(station);
  try {
    await registry.advance(id, { to: 'void', reason });
    ui.result({ type: 'void', id, reason }, `unit ${id} is void`);
  } finally {
    await registry.close();
  }
}
