import { type Command, Option } from 'commander';
import type { IssuedCrl } from '../../src/authority.ts';
import type { IssuerRole } from '../../src/ca/ledger/certificate-rows.ts';
import { LinesideError, systemWords } from '../../src/errors.ts';
import { formatPem } from '../../src/pem.ts';
import { parseDays } from '../days.ts';
import { addUnlockOptions, atWork, type Desk, signing, type UnlockOptions } from '../desk.ts';

interface Options extends UnlockOptions {
  readonly of: IssuerRole;
  readonly days: number;
  readonly out?: string;
}

export function addCaCrl(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('crl')
    .description('sign the next list of revoked certificates; PEM, to stdout')
    .addOption(
      new Option('--of <ca>', 'which of the two CAs').choices(['device', 'broker']).default('device'),
    )
    .option('--days <n>', 'how many days until the one after it is due', parseDays, 30)
    .option('--out <file>', 'write it to this file, in place of the one before');
  addUnlockOptions(command).action((options: Options) => run(options, desk()));
}

async function run(options: Options, desk: Desk): Promise<void> {
  const { issueCrl } = await import('../../src/authority.ts');
  await atWork(desk, async (authority, by) => {
    const { of, days } = options;
    const crl = await signing(authority, of, options, (own) => issueCrl(authority, own, of, days, by));
    await show(crl, options, desk);
  });
}

async function show(
  { number, period, entries, der }: IssuedCrl,
  options: Options,
  desk: Desk,
): Promise<void> {
  const crl = formatPem('X509 CRL', der);
  const { ui } = desk.session;
  if (options.out !== undefined) await putInPlace(options.out, crl);
  const lines = options.out === undefined ? crl.trimEnd().split('\n') : [`CRL ${number} in ${options.out}`];
  ui.result({ type: 'crl', of: options.of, number, ...period, entries, crl }, ...lines);
  ui.say(`CRL ${number}: ${entries} revoked, the next is due ${period.nextUpdate.toISOString()}`);
}

/** A reader finds the old list or the new one, never a part. */
async function putInPlace(path: string, text: string): Promise<void> {
  const { replaceWhole } = await import('../../src/durable.ts');
  await replaceWhole(path, text).catch((cause: unknown) => {
    throw new LinesideError('directory-unwritable', { path, reason: systemWords(cause) }, { cause });
  });
}
