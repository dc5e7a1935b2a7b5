import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import type { AuthorityDirectory } from '../../src/authority-directory.ts';
import type { Tally } from '../../src/ca/ledger/history.ts';
import { fingerprint as keyFingerprint } from '../../src/note.ts';
import { formatPem } from '../../src/pem.ts';
import { atWork, type Desk } from '../desk.ts';
import type { Ui } from '../ui.ts';

export function addCaShow(ca: Command, desk: () => Desk): void {
  ca.command('show')
    .description('what the CA is and what it has done; needs no password')
    .action(() => run(desk()));
}

async function run(desk: Desk): Promise<void> {
  const { tallyOf } = await import('../../src/ca/ledger/history.ts');
  await atWork(desk, async (authority) => {
    const tallies = await authority.ledger.transaction(async (sql) => [
      await tallyOf(sql, 'device'),
      await tallyOf(sql, 'broker'),
    ]);
    showAuthority(authority, tallies, desk.session.ui);
  });
}

/** The CA as scripts and people get it: the fingerprints are what is compared by telephone. */
export function showAuthority(authority: AuthorityDirectory, tallies: readonly Tally[], ui: Ui): void {
  const { path, file, certificates, anchors, exchange } = authority;
  const { name, profile, validDays, structure } = file;
  const describe = (der: Uint8Array) => ({
    sha256: fingerprint(der),
    certificate: formatPem('CERTIFICATE', der),
  });
  const record = {
    type: 'ca',
    directory: path,
    name,
    profile,
    validDays,
    structure,
    keys: file.keys,
    device: { ...describe(certificates.device), anchor: describe(anchors.device) },
    broker: { ...describe(certificates.broker), anchor: describe(anchors.broker) },
    exchange: { name: exchange.name, verifier: exchange.line, fingerprint: keyFingerprint(exchange) },
    tallies,
  };
  const root = structure === 'intermediates' ? [`root CA       ${fingerprint(anchors.device)}`] : [];
  ui.result(
    record,
    `CA ${name} in ${path}: profile ${profile}, valid ${validDays === null ? 'for ever' : `${validDays} days`}`,
    ...root,
    `device CA     ${fingerprint(certificates.device)}`,
    `broker CA     ${fingerprint(certificates.broker)}`,
    `exchange key  ${keyFingerprint(exchange)}`,
    ...tallies.map(inWords),
  );
}

function inWords({ issuer, issued, revoked, crlNumber, crlNextUpdate }: Tally): string {
  const crl = crlNumber === 0 ? 'no CRL yet' : `CRL ${crlNumber}, next due ${crlNextUpdate}`;
  return `${issuer} CA     ${issued} certificates, ${revoked} revoked, ${crl}`;
}

/** SHA-256 of the certificate, as openssl writes it. */
function fingerprint(der: Uint8Array): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return (hex.match(/../g) ?? []).join(':');
}
