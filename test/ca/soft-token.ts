import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../support/program.ts';

/** Where Debian puts SoftHSM2. */
export const module = '/usr/lib/softhsm/libsofthsm2.so';
export const pin = '648219-line';

export interface SoftToken {
  readonly directory: string;
  readonly label: string;
  /** To be put before a command that is to see the token. */
  readonly under: readonly string[];
}

/**
 * A new token that goes with the test. SoftHSM finds its tokens by an environment variable, which is set for this
 * process as well, for tests that look into the token themselves.
 */
export async function newToken(label = 'Acme CA'): Promise<SoftToken> {
  const directory = await scratch();
  const configuration = join(directory, 'softhsm2.conf');
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(configuration, `directories.tokendir = ${join(directory, 'tokens')}\nlog.level = ERROR\n`);
  writeFileSync(join(directory, 'pin'), `${pin}\n`);
  process.env['SOFTHSM2_CONF'] = configuration;
  addToken(label);
  return { directory, label, under: ['env', `SOFTHSM2_CONF=${configuration}`] };
}

/** Another token beside it. */
export function addToken(label: string): void {
  const officerPin = randomBytes(8).toString('hex');
  const init = ['--init-token', '--free', '--label', label, '--so-pin', officerPin, '--pin', pin];
  execFileSync('softhsm2-util', init, { stdio: 'pipe' });
}
