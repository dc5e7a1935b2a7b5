import type { Command } from 'commander';
import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import { LinesideError } from '../../src/errors.ts';
import { formatPem } from '../../src/pem.ts';
import type { Registry, UnitRecord } from '../../src/registry/registry.ts';
import type { Session } from '../session.ts';

export function addRegistry(program: Command, session: Session): void {
  const registry = program.command('registry').description('what the station has on record');
  registry
    .command('list')
    .description('all units, by id')
    .action(() => withRegistry(session, (open) => list(open, session)));
  registry
    .command('export')
    .description('all units, by id, as JSON Lines on stdout: for the CA, and for other programs')
    .action(() => withRegistry(session, (open) => exportAll(open, session)));
  registry
    .command('show')
    .description('one unit with its certificate request')
    .argument('<id>', 'device id', parseDeviceId)
    .action((id: DeviceId) => withRegistry(session, (open) => show(open, id, session)));
}

async function withRegistry(session: Session, act: (registry: Registry) => Promise<void>): Promise<void> {
  const { openStation } = await import('../../src/station-directory.ts');
  const { registry } = await openStation(session.station);
  try {
    await act(registry);
  } finally {
    await registry.close();
  }
}

async function list(registry: Registry, { ui }: Session): Promise<void> {
  for await (const unit of registry.units({})) {
    const { id, state, probe, spkiSha256, changedAt, reason } = unit;
    const why = reason === null ? '' : `  ${reason}`;
    ui.result(
      record(unit),
      `${id}  ${state.padEnd(9)}  ${changedAt}  ${probe ?? '-'}  ${spkiSha256 ?? '-'}${why}`,
    );
  }
  for (const { lease, used, left } of await registry.leases()) {
    ui.say(`lease ${lease.first}-${lease.last}: ${used} used, ${left} left`);
  }
}

async function exportAll(registry: Registry, { ui }: Session): Promise<void> {
  for await (const unit of registry.units({})) {
    const shown = record(unit);
    ui.result(shown, JSON.stringify(shown));
  }
}

async function show(registry: Registry, id: DeviceId, { ui }: Session): Promise<void> {
  const unit = await registry.find(id);
  if (!unit) throw new LinesideError('unit-not-found', { id });
  const shown = record(unit);
  const fields = Object.entries(shown).filter(
    ([name, value]) => !['type', 'csr', 'certificate'].includes(name) && value !== null,
  );
  const lines = fields.map(([name, value]) => `${name.padEnd(14)}  ${value}`);
  const csr = shown.csr?.trimEnd().split('\n') ?? ['no certificate request'];
  const certificate = shown.certificate?.trimEnd().split('\n') ?? [];
  ui.result(shown, ...lines, ...csr, ...certificate);
}

/** A unit as scripts get it: bytes as PEM, and every field there, null where it is not yet known. */
function record({ csr, certificate, ...rest }: UnitRecord) {
  return {
    type: 'unit',
    ...rest,
    csr: csr && formatPem('CERTIFICATE REQUEST', csr),
    certificate: certificate && formatPem('CERTIFICATE', certificate),
  };
}
