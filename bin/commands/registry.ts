import { type Command, Option } from 'commander';
import { type DeviceId, type Lease, parseDeviceId, parseLease } from '../../src/device.ts';
import { LinesideError } from '../../src/errors.ts';
import { formatPem } from '../../src/pem.ts';
import type { Registry, UnitRecord } from '../../src/registry/registry.ts';
import type { Session } from '../session.ts';
import { addRegistryAudit } from './registry-audit.ts';

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
  addRegistryAudit(registry, session);
  registry
    .command('backup')
    .description('write a backup of the registry to a new file, and check it')
    .argument('<file>', 'new file')
    .action((path: string) => withRegistry(session, (open) => backup(open, path, session)));
  registry
    .command('restore')
    .description(
      'put a backup in the place of a registry that is lost or damaged; the log goes on in a new epoch',
    )
    .argument('<file>', 'file that "registry backup" wrote')
    .requiredOption('--reason <text>', 'why, in the words of whoever answers for it, for the log')
    .addOption(
      new Option(
        '--lease <first-last>',
        'device ids to go on with; those of before are not given again',
      ).argParser(parseLease),
    )
    .option('--head <file>', 'a checkpoint that the CA or QA has, if the station has lost its own')
    .option('--over-sound', 'even if the registry of now is sound; it is kept beside the new one')
    .action((path: string, options: RestoreOptions) => restore(path, options, session));
}

interface RestoreOptions {
  readonly reason: string;
  readonly lease?: Lease;
  readonly head?: string;
  readonly overSound?: true;
}

async function backup(registry: Registry, path: string, { ui }: Session): Promise<void> {
  const { backupRegistry } = await import('../../src/backup-registry.ts');
  const { sha256, size } = await backupRegistry(registry, path);
  ui.result(
    { type: 'backup', file: path, sha256, size },
    `backup ${path}: ${size} log entries, SHA-256 ${sha256}`,
  );
}

async function restore(
  path: string,
  { overSound, ...options }: RestoreOptions,
  { station, ui }: Session,
): Promise<void> {
  const { restoreRegistry } = await import('../../src/restore-registry.ts');
  const over = overSound ? 'sound' : 'lost-or-damaged';
  const { origin, size } = await restoreRegistry(station, path, { ...options, over });
  ui.result(
    { type: 'restore', file: path, origin, size },
    `registry restored from ${path}: the log goes on as ${origin}`,
  );
  if (options.lease === undefined)
    ui.say(
      'the leases are closed, because nobody knows which ids were given after the backup: get a new lease',
    );
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
  for (const { lease, used, left, closed } of await registry.leases()) {
    ui.say(`lease ${lease.first}-${lease.last}: ${used} used, ${closed ? 'closed' : `${left} left`}`);
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
