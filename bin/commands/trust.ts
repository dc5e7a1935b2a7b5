import type { Command } from 'commander';
import { LinesideError } from '../../src/errors.ts';
import type { Session } from '../session.ts';

export function addTrust(program: Command, session: Session): void {
  program
    .command('trust')
    .description('show the fingerprint of a CA and, once you have compared it, trust that CA')
    .argument('<file>', 'verifier key of the CA: one line, name+hash+key')
    .option('--fingerprint <digits>', 'the fingerprint as the CA told it, by another way than the file')
    .action((file: string, options: { fingerprint?: string }) => run(file, options.fingerprint, session));
}

/** Nothing is trusted by what came with it: without the fingerprint from elsewhere the key is only shown. */
async function run(path: string, told: string | undefined, { station, ui }: Session): Promise<void> {
  const { readVerifierFile, trustAuthority } = await import('../../src/trusted-authority.ts');
  const { fingerprint } = await import('../../src/note.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const authority = await readVerifierFile(path);
  const { name, hash } = authority;
  const found = fingerprint(authority);
  const record = { type: 'authority', name, hash, fingerprint: found };
  if (told === undefined) {
    ui.result({ ...record, trusted: false }, `CA ${name}: ${found}`);
    ui.say('if the CA tells the same digits, run this again with --fingerprint DIGITS');
    return;
  }
  if (told.replace(/\s/g, '').toLowerCase() !== found.replaceAll(' ', ''))
    throw new LinesideError('fingerprint-differs', { path, found, expected: told });
  const { registry } = await openStation(station);
  try {
    await trustAuthority(registry, authority);
    ui.result({ ...record, trusted: true }, `CA ${name} is trusted: ${found}`);
  } finally {
    await registry.close();
  }
}
