import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Provenance } from '../src/issue-devices.ts';
import type { AuthorityDirectory, OpenAuthority } from '../src/authority-directory.ts';
import type { KeyPlace } from '../src/authority-file.ts';
import type { AuthorityKeys } from '../src/authority-keys.ts';
import type { Authority } from '../src/ca/authority.ts';
import type { IssuerRole } from '../src/ca/ledger/certificate-rows.ts';
import type { Session } from './session.ts';

/** What the commands of the CA get: the session, and what was said of the CA before the command's name. */
export interface Desk {
  readonly session: Session;
  readonly directory: string;
  readonly officer: string;
}

/** Where the secrets are that open the CA's keys; what is not named is asked for at the terminal. */
export interface UnlockOptions {
  readonly passwordFile?: string | undefined;
  readonly secondPasswordFile?: string | undefined;
  readonly pinFile?: string | undefined;
}

export function addUnlockOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'its first line is the password; "-" is stdin; asked for if not given')
    .option('--second-password-file <file>', 'that of the second person, for a CA that has two')
    .option('--pin-file <file>', 'the PIN, for a CA whose keys are in a token');
}

/** Who is at work, unless it is said. */
export function whoIsThis(): string {
  return userInfo().username;
}

export function deskOf(session: Session, ca: Command): Desk {
  const { ca: directory, officer } = ca.opts<{ ca: string; officer?: string }>();
  return { session, directory, officer: officer ?? whoIsThis() };
}

/** Opens the CA, lets `act` work, and closes it. */
export async function atWork(
  { directory, officer }: Omit<Desk, 'session'>,
  act: (authority: OpenAuthority, by: Provenance) => Promise<void>,
): Promise<void> {
  const { openAuthority } = await import('../src/authority-directory.ts');
  const now = new Date();
  const authority = await openAuthority(directory, now);
  try {
    await act(authority, { station: null, officer, now });
  } finally {
    await authority.ledger.close();
  }
}

/** Lets `act` sign as one of the two CAs, opened by what its keepers give. */
export function signing<T>(
  authority: AuthorityDirectory,
  role: IssuerRole,
  options: UnlockOptions,
  act: (signing: Authority) => Promise<T>,
): Promise<T> {
  return unlocking(authority, options, async (keys) => act(await keys.authority(role)));
}

/** Lets `act` use the CA's keys, opened by what their keepers give. */
export async function unlocking<T>(
  authority: AuthorityDirectory,
  options: UnlockOptions,
  act: (keys: AuthorityKeys) => Promise<T>,
): Promise<T> {
  const { unlock } = await import('../src/authority-keys.ts');
  const { readSecret } = await import('./secrets.ts');
  const secret = await readKeySecret(authority.file.keys, options, readSecret);
  try {
    return await unlock(authority, secret, act);
  } finally {
    secret.fill(0);
  }
}

/** @param readPassword how one password is got, by its file and its name */
export async function readKeySecret(
  keys: KeyPlace,
  options: UnlockOptions,
  readPassword: (file: string | undefined, what: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (keys.kind === 'pkcs11') {
    const { readSecret } = await import('./secrets.ts');
    return readSecret(options.pinFile, `PIN of token ${keys.token}`);
  }
  if (keys.passwords === 1) return readPassword(options.passwordFile, 'password');
  const { jointPassword } = await import('../src/ca/password.ts');
  const first = await readPassword(options.passwordFile, 'password of the first person');
  return jointPassword(
    first,
    await readPassword(options.secondPasswordFile, 'password of the second person'),
  );
}
