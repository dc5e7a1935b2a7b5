import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeManifest, type Header, hashOf, type PayloadFile } from '../../src/batch/manifest.ts';
import { writeBatch } from '../../src/batch/write.ts';
import { makeSigner, type Signer } from '../../src/note.ts';

/*
 * A CA that shares no code with ours where certificates are made: openssl signs. Root, one intermediate that
 * issues the devices, and a root of its own for brokers.
 */

export interface OpensslCa {
  readonly directory: string;
  readonly signer: Signer;
  /** Issuer of the devices, then the root, PEM. */
  readonly chain: string;
  readonly anchors: string;
  /** Signs a PEM request and returns the PEM certificate; `extensions` replaces those of a device. */
  sign(request: string, extensions?: string): Promise<string>;
}

const ofCa = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n';
export const ofDevice =
  'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n';

export async function opensslCa(directory: string): Promise<OpensslCa> {
  await mkdir(directory, { recursive: true });
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const request = (name: string, subject: string) => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(`${name}.key`));
    openssl('req', '-new', '-key', at(`${name}.key`), '-subj', subject, '-out', at(`${name}.csr`));
  };
  await writeFile(at('ca.ext'), ofCa);
  for (const root of ['root', 'brokers']) {
    request(root, `/CN=Test ${root}`);
    const self = ['-signkey', at(`${root}.key`), '-extfile', at('ca.ext'), '-out', at(`${root}.pem`)];
    openssl('x509', '-req', '-in', at(`${root}.csr`), '-days', '3650', ...self);
  }
  let serial = 0xa0000000;
  const issue = (csr: string, issuer: string, extensions: string, to: string) => {
    const signing = [
      '-CA',
      at(`${issuer}.pem`),
      '-CAkey',
      at(`${issuer}.key`),
      '-set_serial',
      String(serial++),
    ];
    openssl('x509', '-req', '-in', csr, ...signing, '-days', '3650', '-extfile', extensions, '-out', to);
  };
  request('devices', '/CN=Test devices');
  issue(at('devices.csr'), 'root', at('ca.ext'), at('devices.pem'));
  const [devices, root, anchors] = await Promise.all(
    ['devices', 'root', 'brokers'].map((name) => readFile(at(`${name}.pem`), 'utf8')),
  );
  return {
    directory,
    signer: makeSigner('acme-ca'),
    chain: `${devices}${root}`,
    anchors: anchors ?? '',
    sign: async (csr, extensions = ofDevice) => {
      await writeFile(at('unit.csr'), csr);
      await writeFile(at('unit.ext'), extensions);
      issue(at('unit.csr'), 'devices', at('unit.ext'), at('unit.pem'));
      return readFile(at('unit.pem'), 'utf8');
    },
  };
}

export type Answer = Partial<Extract<Header, { readonly kind: 'certificates' }>> & {
  readonly files?: Readonly<Partial<Record<PayloadFile, string>>>;
};

/** Writes a batch of certificates as the CA would, and returns the hash of its manifest. */
export async function answer(ca: OpensslCa, target: string, certificates: string, change: Answer = {}) {
  const { files, ...header } = change;
  const named = {
    'certificates.pem': certificates,
    'chain.pem': ca.chain,
    'anchors.pem': ca.anchors,
    ...files,
  };
  const payload = new Map(
    Object.entries(named).map(([name, text]) => [name as PayloadFile, Buffer.from(text)]),
  );
  const manifest = composeManifest(
    {
      kind: 'certificates',
      station: 'st07',
      authority: `acme-ca+${ca.signer.verifier.hash}`,
      sequence: 1,
      previous: '0'.repeat(64),
      answers: null,
      generation: 1,
      ...header,
    },
    payload,
  );
  await writeBatch(target, manifest, payload, ca.signer);
  return hashOf(manifest);
}
