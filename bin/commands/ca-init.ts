import { type Command, Option } from 'commander';
import type { AuthorityFile } from '../../src/authority-file.ts';
import { parseDays } from '../days.ts';
import { addUnlockOptions, type Desk, readPassword, type UnlockOptions } from '../desk.ts';
import { showAuthority } from './ca-show.ts';

interface Options extends UnlockOptions {
  readonly name: string;
  readonly profile: AuthorityFile['profile'];
  readonly intermediates?: true;
  readonly validDays?: number;
  readonly twoPersons?: true;
}

export function addCaInit(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('init')
    .description('make a CA: a key and certificate for devices, another for brokers, an empty ledger')
    .argument('<dir>', 'directory to make')
    .option('--name <text>', 'what the CA is called in its certificates', 'lineside')
    .addOption(
      new Option('--profile <name>', 'what device certificates carry')
        .choices(['default', 'rfc5280', 'matter'])
        .default('default'),
    )
    .option('--intermediates', 'one root above both CAs, whose key can then be locked away')
    .option('--valid-days <n>', 'end the validity of device certificates; for ever if not given', parseDays)
    .option('--two-persons', 'two passwords, of two persons, to open the keys');
  addUnlockOptions(command).action((directory: string, options: Options) => run(directory, options, desk()));
}

async function run(directory: string, options: Options, { session }: Desk): Promise<void> {
  const { parseAuthorityName } = await import('../../src/ca/name.ts');
  const { createAuthority, readAuthority } = await import('../../src/authority-directory.ts');
  const file: AuthorityFile = {
    name: parseAuthorityName(options.name),
    profile: options.profile,
    validDays: options.validDays ?? null,
    structure: options.intermediates ? 'intermediates' : 'roots',
    keys: { kind: 'file', passwords: options.twoPersons || options.secondPasswordFile ? 2 : 1 },
  };
  const password = await readPassword(file.keys, options, newPassword);
  try {
    await createAuthority(directory, file, password, new Date());
  } finally {
    password.fill(0);
  }
  showAuthority(await readAuthority(directory), [], session.ui);
}

async function newPassword(file: string | undefined, what: string): Promise<Uint8Array> {
  const { mustBeGoodPassword } = await import('../../src/ca/password.ts');
  const { readNewSecret } = await import('../secrets.ts');
  const password = await readNewSecret(file, what);
  mustBeGoodPassword(password);
  return password;
}
