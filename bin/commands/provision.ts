import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AuthorityProcess } from '../../src/authority-process.ts';
import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import { type ExitCode, LinesideError } from '../../src/errors.ts';
import type { HeldImage } from '../../src/firmware/held-image.ts';
import type { DebugPort } from '../../src/install.ts';
import type { Order, UnitResult } from '../../src/station.ts';
import type { Lane, Watcher } from '../../src/line.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Chip } from '../../src/swd/chip.ts';
import type { SecondPass } from '../../src/second-pass.ts';
import type { Station } from '../../src/station-directory.ts';
import { addUnlockOptions, type UnlockOptions, whoIsThis } from '../desk.ts';
import type { Session } from '../session.ts';
import type { Ui } from '../ui.ts';

interface Options extends UnlockOptions {
  readonly probe?: readonly string[];
  readonly count?: number;
  readonly firmware?: string;
  readonly lock?: true;
  readonly id?: DeviceId;
  readonly ca?: string;
  readonly officer?: string;
}

export function addProvision(program: Command, session: Session): void {
  const command = program
    .command('provision')
    .description('give each board an id and a key: make, register, flash, compare')
    .option('--probe <name...>', 'the probes to use; without it all of the station')
    .option('--count <n>', 'how many boards; one for each probe if not given', parseCount)
    .option('--firmware <file>', 'program this too: Intel HEX, ELF or raw binary')
    .option('--lock', 'close the debug port as the last step, and prove it')
    .addOption(new Option('--id <id>', 'use this id of the lease for the one board').argParser(parseDeviceId))
    .option('--ca <dir>', 'certify each board at once by the CA in this directory')
    .option('--officer <name>', 'who is at work, for the ledger of that CA');
  addUnlockOptions(command).action((options: Options) => run(options, session));
}

async function run(options: Options, session: Session): Promise<void> {
  const { chooseProbes } = await import('../../src/config.ts');
  const { openStationRegistry, readStation } = await import('../../src/station-directory.ts');
  const { Lane } = await import('../../src/line.ts');
  const file = await readStation(session.station);
  const probes = chooseProbes(file, options.probe ?? []);
  const count = options.count ?? probes.length;
  if (options.id && count !== 1)
    throw new LinesideError('usage', { problem: '--id is for one board: name one --probe' });

  const open: (() => Promise<void>)[] = [];
  try {
    const authority = options.ca === undefined ? null : await startAuthority(options.ca, options, session);
    if (authority) open.push(() => authority.close());
    // The lanes first: their processes load while the firmware is read and the registry opened.
    const lanes = probes.slice(0, count).map((probe) => new Lane(probe, session.unitProgram));
    open.push(...lanes.map((lane) => () => lane.close()));
    const firmware = options.firmware === undefined ? null : await holdFirmware(options.firmware, file.chip);
    if (firmware) open.push(() => firmware.release());
    const registry = await openStationRegistry(session.station, file);
    open.push(() => registry.close());

    const debugPort = options.lock ? 'lock' : 'leave-open';
    const secondPass = authority && (await secondPassOf(authority, { file, registry }, debugPort, session));
    // What is written in a second pass comes before the port is closed.
    const order: Order = {
      chip: file.chip,
      firmware,
      debugPort: secondPass ? 'leave-open' : debugPort,
      id: options.id ?? 'next',
    };
    session.exit(await provision(session, registry, order, lanes, count, secondPass));
  } finally {
    await Promise.all(open.map((close) => close()));
  }
}

async function startAuthority(
  directory: string,
  { officer, passwordFile, secondPasswordFile, pinFile }: Options,
  { authorityProgram }: Session,
): Promise<AuthorityProcess> {
  const { AuthorityProcess } = await import('../../src/authority-process.ts');
  const secrets = { passwordFile, secondPasswordFile, pinFile };
  return AuthorityProcess.start(authorityProgram, { directory, officer: officer ?? whoIsThis(), ...secrets });
}

async function secondPassOf(
  authority: AuthorityProcess,
  station: Station,
  debugPort: DebugPort,
  { station: directory, unitProgram }: Session,
): Promise<SecondPass> {
  const { secondPassWith } = await import('../../src/second-pass.ts');
  const { mustBeTrusted } = await import('../../src/trusted-authority.ts');
  await mustBeTrusted(station.registry, authority.verifier);
  return secondPassWith(authority, directory, station, unitProgram, debugPort);
}

async function provision(
  { ui, interrupted }: Session,
  registry: Registry,
  order: Order,
  lanes: readonly Lane[],
  count: number,
  secondPass: SecondPass | null,
): Promise<ExitCode> {
  const { settleInterrupted } = await import('../../src/station.ts');
  const { runLine } = await import('../../src/line.ts');
  for (const id of await settleInterrupted(registry)) {
    ui.say(`unit ${id} is in doubt: set its board aside, or give the unit up with "lineside void ${id}"`);
  }
  const exits: ExitCode[] = [];
  const watcher: Watcher = {
    stage: (probe, stage, id) => ui.progress(`${probe.name}  ${id ?? '--------'}  ${stage}`),
    unit: (result) => {
      exits.push(result.error?.exit ?? 0);
      show(ui, result);
    },
  };
  await runLine(registry, order, lanes, count, watcher, interrupted, secondPass);
  const worst = gravest(exits);
  if (!interrupted.aborted) return worst;
  ui.explain(new LinesideError('interrupted'));
  return worst === 6 || worst === 3 || worst === 10 ? worst : 130;
}

/** One board's end: PASS only now, after the registry has committed it. */
function show(ui: Ui, { result, id, state, probe, uid, spkiSha256, error }: UnitResult): void {
  const failure = error && { error: error.code, message: error.message, action: error.action };
  const record = { type: 'unit', id, state, result, probe, uid, spkiSha256, ...failure };
  ui.verdict(record, result, `${id ?? '--------'}  ${probe}  ${error?.code ?? spkiSha256 ?? ''}`);
  if (error) ui.explain(error);
}

/** The exit code that asks for most: stop the line before look at the board. */
function gravest(exits: readonly ExitCode[]): ExitCode {
  const order: readonly ExitCode[] = [6, 3, 10, 9, 8, 5, 4, 1];
  return order.find((exit) => exits.includes(exit)) ?? exits.find((exit) => exit !== 0) ?? 0;
}

async function holdFirmware(path: string, chip: Chip): Promise<HeldImage> {
  const { readFirmware } = await import('../../src/firmware/firmware.ts');
  const { holdImage } = await import('../../src/firmware/held-image.ts');
  const { start, end } = chip.flash;
  const factory = {
    factoryDataStart: chip.credentialsPage,
    factoryDataEnd: chip.identityPage + chip.factoryPageSize,
  };
  return holdImage(await readFirmware(path, { chip: chip.name, start, end, ...factory }));
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a count is a whole number from 1');
  return Number(text);
}
