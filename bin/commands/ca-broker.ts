import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import type { BrokerOrder } from '../../src/authority.ts';
import { LinesideError } from '../../src/errors.ts';
import { parseDays } from '../days.ts';
import { addUnlockOptions, atWork, type Desk, signing, type UnlockOptions } from '../desk.ts';
import { readRequestFile } from '../request-file.ts';
import { showCertificate } from './ca-issue.ts';

interface Options extends UnlockOptions {
  readonly dns: readonly string[];
  readonly csr?: string;
  readonly makeKey?: string;
  readonly validDays: number;
}

/** Who has the key, and where it comes from. */
type Key = Pick<BrokerOrder, 'publicKey' | 'csrSha256'>;

export function addCaBroker(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('broker')
    .description('sign the certificate of a broker; it goes to stdout')
    .requiredOption('--dns <name...>', 'the names that devices know the broker by')
    .option('--csr <file>', 'request of the broker, PEM or DER, of which only the key is taken')
    .option('--make-key <file>', 'make the key here instead, unencrypted in this new file')
    .option('--valid-days <n>', 'how long it is valid', parseDays, 365);
  addUnlockOptions(command).action((options: Options) => run(options, desk()));
}

async function run(options: Options, desk: Desk): Promise<void> {
  const { parseDnsName } = await import('../../src/ca/dns-name.ts');
  const { issueBrokerCertificate } = await import('../../src/authority.ts');
  const dns = [...new Set(options.dns.map(parseDnsName))];
  await atWork(desk, async (authority, by) => {
    const key = await keyOf(options, async (key) => {
      desk.session.ui.say(`broker ${dns.join(', ')}, valid ${options.validDays} days`);
      const order = { ...key, dns, days: options.validDays };
      return signing(authority, 'broker', options, (own) =>
        issueBrokerCertificate(authority, own, order, by),
      );
    });
    showCertificate(key, desk.session.ui);
  });
}

/** A key that was made for a certificate that then is not issued goes again. */
async function keyOf<T>({ csr, makeKey }: Options, use: (key: Key) => Promise<T>): Promise<T> {
  if ((csr === undefined) === (makeKey === undefined))
    throw new LinesideError('usage', { problem: 'give the request of the broker with --csr, or --make-key' });
  if (csr !== undefined) return use(await keyInRequest(csr));
  const { createPlainKeyFile } = await import('../../src/ca/key-file.ts');
  const path = makeKey ?? '';
  const key = { publicKey: await createPlainKeyFile(path), csrSha256: null };
  return use(key).catch(async (error: unknown) => {
    await rm(path, { force: true });
    throw error;
  });
}

async function keyInRequest(file: string): Promise<Key> {
  const { verifyBrokerCsr } = await import('../../src/csr/broker.ts');
  const { publicKey, sha256 } = verifyBrokerCsr(await readRequestFile(file));
  return { publicKey, csrSha256: sha256 };
}
