import type { Command } from 'commander';
import type { Session } from '../session.ts';

interface Options {
  readonly fingerprint?: string;
  readonly successor?: true;
}

export function addTrust(program: Command, session: Session): void {
  program
    .command('trust')
    .description('show the fingerprint of a CA and, once you have compared it, trust that CA')
    .argument('<file>', 'verifier key of the CA (exchange.vkey): one line, name+hash+key')
    .option('--fingerprint <digits>', 'the fingerprint as the CA told it, by another way than the file')
    .option('--successor', 'it takes the place of the CA that is trusted now')
    .action((file: string, options: Options) => run(file, options, session));
}

/** Nothing is trusted by what came with it: without the fingerprint from elsewhere the key is only shown. */
async function run(
  path: string,
  { fingerprint: told, successor }: Options,
  { station, ui }: Session,
): Promise<void> {
  const { trustAuthority } = await import('../../src/trusted-authority.ts');
  const { mustHaveFingerprint, readVerifierFile } = await import('../../src/verifier-file.ts');
  const { fingerprint } = await import('../../src/note.ts');
  const { openStation } = await import('../../src/station-directory.ts');
  const authority = await readVerifierFile(path, 'exchange.vkey');
  const { name, hash } = authority;
  const found = fingerprint(authority);
  const record = { type: 'authority', name, hash, fingerprint: found };
  if (told === undefined) {
    ui.result({ ...record, trusted: false }, `CA ${name}: ${found}`);
    ui.say('if the CA tells the same digits, run this again with --fingerprint DIGITS');
    return;
  }
  mustHaveFingerprint(authority, told, path);
  const { registry } = await openStation(station);
  try {
    await trustAuthority(registry, authority, successor ? 'successor' : 'first');
    ui.result({ ...record, trusted: true }, `CA ${name} is trusted: ${found}`);
  } finally {
    await registry.close();
  }
}
