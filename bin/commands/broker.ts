import { type Command, Option } from 'commander';
import type { Access } from '../../src/broker/mosquitto-conf.ts';
import type { CaSummary } from '../../src/broker/readme.ts';
import type { CrlSource } from '../../src/consult-authority.ts';
import { LinesideError } from '../../src/errors.ts';
import type { BrokerOrder } from '../../src/export-broker.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly ca: readonly string[];
  readonly crl: readonly string[];
  readonly access: Access;
  readonly backend?: readonly string[];
  readonly prefix: string;
  readonly user: string;
  readonly listen: string;
}

const accessKinds: readonly Access[] = ['dynamic-security', 'acl'];

export function addBroker(program: Command, session: Session): void {
  program
    .command('broker')
    .description('what an MQTT broker needs to know of the CA')
    .command('export')
    .description('write the configuration of a broker: who is let in, into which topics, who is revoked')
    .argument('<dir>', 'directory to make; an earlier export there is replaced')
    .requiredOption('--ca <dir>', 'CA of the devices; repeat it while a fleet changes over', append)
    .requiredOption('--crl <file>', 'its CRL, made by "ca crl"; one for each --ca, in their order', append)
    .addOption(
      new Option('--access <kind>', 'how devices are kept apart')
        .choices(accessKinds)
        .default('dynamic-security'),
    )
    .option(
      '--backend <id>',
      'id of a certificate that may use the topics of all devices; repeat for more',
      append,
    )
    .option('--prefix <path>', 'where the export will be on the broker', '/etc/mosquitto/lineside')
    .option('--user <name>', 'who mosquitto runs as', 'mosquitto')
    .option('--listen <port>', 'PORT, or ADDRESS:PORT', '8883')
    .action((directory: string, options: Options) => run(directory, options, session));
}

/** Not variadic: that would take the directory for one more file. */
function append(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

async function run(directory: string, options: Options, { ui }: Session): Promise<void> {
  const { exportBroker } = await import('../../src/export-broker.ts');
  const now = new Date();
  const { authorities, devices } = await exportBroker(directory, await orderOf(options), now);
  ui.result(
    { type: 'broker-export', directory, access: options.access, authorities, devices },
    `${devices.length} devices in ${directory}: README.txt there says how a broker gets it`,
  );
  for (const authority of authorities) ui.say(inWords(authority, now));
}

async function orderOf(options: Options): Promise<BrokerOrder> {
  const { parseListen, parsePrefix, parseUser } = await import('../../src/broker/place.ts');
  const { parseDeviceId } = await import('../../src/device.ts');
  const { access, backend = [], prefix, user, listen } = options;
  return {
    authorities: paired(options),
    access,
    backEnds: [...new Set(backend.map(parseDeviceId))],
    place: { prefix: parsePrefix(prefix), user: parseUser(user), ...parseListen(listen) },
  };
}

function paired({ ca, crl }: Options): CrlSource[] {
  if (ca.length !== crl.length)
    throw new LinesideError('usage', {
      problem: `${ca.length} --ca and ${crl.length} --crl: each CA has one`,
    });
  return ca.map((directory, at) => ({ directory, crl: String(crl[at]) }));
}

const weekInMs = 7 * 86_400_000;

function inWords({ name, crlNumber, crlNextUpdate }: CaSummary, now: Date): string {
  const soon = crlNextUpdate.getTime() - now.getTime() < weekInMs ? 'CAREFUL, within a week: ' : '';
  return `${soon}${name}: from ${crlNextUpdate.toISOString()} on CRL ${crlNumber} is overdue, and the broker refuses all`;
}
