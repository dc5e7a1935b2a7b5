import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { AuthorityFile, KeyPlace } from '../../src/authority-file.ts';
import { LinesideError } from '../../src/errors.ts';
import { parseDays } from '../days.ts';
import { addUnlockOptions, type Desk, readKeySecret, type UnlockOptions } from '../desk.ts';
import { showAuthority } from './ca-show.ts';

interface Options extends UnlockOptions {
  readonly name: string;
  readonly profile: AuthorityFile['profile'];
  readonly intermediates?: true;
  readonly validDays?: number;
  readonly twoPersons?: true;
  readonly pkcs11?: string;
  readonly token?: string;
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
    .option('--two-persons', 'two passwords, of two persons, to open the keys')
    .option('--pkcs11 <module>', 'make the keys in a token, by this PKCS#11 library')
    .option('--token <label>', 'which token');
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
    keys: keyPlace(options),
  };
  const secret = await readKeySecret(file.keys, options, newPassword);
  try {
    await createAuthority(directory, file, secret, new Date());
  } finally {
    secret.fill(0);
  }
  showAuthority(await readAuthority(directory), [], session.ui);
}

function keyPlace({ pkcs11, token, twoPersons, secondPasswordFile }: Options): KeyPlace {
  if ((pkcs11 === undefined) !== (token === undefined))
    throw new LinesideError('usage', { problem: '--pkcs11 and --token belong together' });
  if (pkcs11 === undefined || token === undefined)
    return { kind: 'file', passwords: twoPersons || secondPasswordFile ? 2 : 1 };
  if (twoPersons)
    throw new LinesideError('usage', { problem: 'a token has one PIN: --two-persons is for key files' });
  return { kind: 'pkcs11', module: resolve(pkcs11), token, id: randomBytes(16).toString('hex') };
}

async function newPassword(file: string | undefined, what: string): Promise<Uint8Array> {
  const { mustBeGoodPassword } = await import('../../src/ca/password.ts');
  const { readNewSecret } = await import('../secrets.ts');
  const password = await readNewSecret(file, what);
  mustBeGoodPassword(password);
  return password;
}
