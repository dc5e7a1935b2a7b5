import { type Command, Option } from 'commander';
import type { Session } from '../session.ts';

interface Options {
  readonly name: string;
  readonly chip: string;
  readonly lease: string;
  readonly probe: readonly string[];
}

export function addInit(program: Command, session: Session): void {
  program
    .command('init')
    .description('make a station: its registry, its first lease of ids, its probes')
    .argument('<dir>', 'directory to make')
    .requiredOption('--name <name>', 'name of the station, for example st07')
    .requiredOption('--chip <chip>', 'chip on the boards, for example nrf52840')
    .option('--lease <first-last>', 'device ids this station may use', '00000001-0000FFFF')
    .addOption(
      new Option(
        '--probe <name=interface:serial...>',
        'its probes: a=cmsis-dap:E6614103, or a=sim:4444 for a simulated board',
      ).default([], 'none'),
    )
    .action((directory: string, options: Options) => run(directory, options, session));
}

async function run(directory: string, { name, chip, lease, probe }: Options, { ui }: Session): Promise<void> {
  const { parseStation } = await import('../../src/config.ts');
  const { parseLease } = await import('../../src/device.ts');
  const { createStation } = await import('../../src/station-directory.ts');
  const station = parseStation(name, chip, probe);
  await createStation(directory, station, parseLease(lease));
  const text = `station ${name} in ${directory}: ${chip}, ids ${lease}, probes ${probe.join(' ') || 'none'}`;
  ui.result({ type: 'station', name, directory, chip, lease, probes: probe }, text);
}
