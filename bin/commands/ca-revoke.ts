import { type Command, Option } from 'commander';
import type { RevocationReason } from '../../src/ca/crl.ts';
import { atWork, type Desk } from '../desk.ts';

/** Written out, so that --help need not load the CA; a test holds it equal to `revocationReasons`. */
const reasons: readonly RevocationReason[] = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
];

export function addCaRevoke(ca: Command, desk: () => Desk): void {
  ca.command('revoke')
    .description('revoke the certificates of a device, or one certificate by its serial number; for ever')
    .argument('<id>', 'device id, or serial number of 32 hex digits')
    .addOption(new Option('--reason <reason>', 'why').choices(reasons).makeOptionMandatory())
    .action((subject: string, { reason }: { reason: RevocationReason }) => run(subject, reason, desk()));
}

async function run(subject: string, reason: RevocationReason, desk: Desk): Promise<void> {
  const { revoke } = await import('../../src/authority.ts');
  const { ui } = desk.session;
  await atWork(desk, async (authority, by) => {
    for (const serial of await revoke(authority, subject, reason, by))
      ui.result({ type: 'revoked', subject, serial, reason }, `revoked ${subject}, certificate ${serial}`);
    ui.say('brokers learn of it with the next CRL: run "lineside ca crl"');
  });
}
