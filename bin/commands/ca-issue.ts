import type { Command } from 'commander';
import type { IssuedCertificate } from '../../src/ca/ledger/certificate-rows.ts';
import { formatPem } from '../../src/pem.ts';
import { addUnlockOptions, atWork, type Desk, signing, type UnlockOptions } from '../desk.ts';
import { readRequestFile } from '../request-file.ts';
import type { Ui } from '../ui.ts';

export function addCaIssue(ca: Command, desk: () => Desk): void {
  const command = ca
    .command('issue')
    .description('sign requests of devices, all of them or none; the certificates go to stdout')
    .argument('<csr...>', 'files with one request each, PEM or DER');
  addUnlockOptions(command).action((files: readonly string[], options: UnlockOptions) =>
    run(files, options, desk()),
  );
}

/** What is to be signed is shown before the password is asked for: to give it is to agree. */
async function run(files: readonly string[], options: UnlockOptions, desk: Desk): Promise<void> {
  const { issueDeviceCertificates } = await import('../../src/issue-devices.ts');
  const { ui } = desk.session;
  await atWork(desk, async (authority, by) => {
    const requests: Uint8Array[] = [];
    for (const file of files) requests.push(await readAndShow(file, ui));
    const issued = await signing(authority, 'device', options, (own) =>
      issueDeviceCertificates(authority, own, requests, by),
    );
    for (const certificate of issued) showCertificate(certificate, ui);
  });
}

async function readAndShow(file: string, ui: Ui): Promise<Uint8Array> {
  const { verifyCsr } = await import('../../src/csr/verify.ts');
  const request = await readRequestFile(file);
  ui.say(`request ${file}`);
  const { id, spkiSha256 } = verifyCsr(request);
  ui.say(`  device ${id}, key ${spkiSha256}`);
  return request;
}

export function showCertificate({ der, ...issued }: IssuedCertificate, ui: Ui): void {
  const certificate = formatPem('CERTIFICATE', der);
  ui.result({ type: 'certificate', ...issued, certificate }, ...certificate.trimEnd().split('\n'));
}
