import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../support/program.ts';

/** OpenSSL and GnuTLS, which share no code with us or each other, as judges of certificates and CRLs. */

interface Verdict {
  readonly passes: boolean;
  readonly words: string;
}

function judge(program: string, args: readonly string[], input?: Uint8Array): Verdict {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    input,
    maxBuffer: 16 << 20,
  });
  return { passes: status === 0, words: `${stdout}${stderr}` };
}

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`.replace(
    /(.{64})(?=.)/g,
    '$1\n',
  );
}

export interface Chain {
  readonly leaf: Uint8Array;
  readonly intermediates?: readonly Uint8Array[];
  readonly root: Uint8Array;
  readonly crl?: Uint8Array;
}

/** `openssl verify` in its strict mode, for a purpose of its own. */
export async function opensslVerify(
  chain: Chain,
  purpose: 'sslclient' | 'sslserver',
  ...more: string[]
): Promise<Verdict> {
  const file = await files(chain);
  const crl = chain.crl ? ['-crl_check', '-CRLfile', file.crl] : [];
  const untrusted = chain.intermediates?.length ? ['-untrusted', file.intermediates] : [];
  const args = ['verify', '-x509_strict', '-purpose', purpose, ...crl, ...untrusted, ...more];
  return judge('openssl', [...args, '-CAfile', file.root, file.leaf]);
}

const purposes = { sslclient: '1.3.6.1.5.5.7.3.2', sslserver: '1.3.6.1.5.5.7.3.1' };

/** `certtool --verify` with an extended key usage it must allow. */
export async function gnutlsVerify(
  chain: Chain,
  purpose: 'sslclient' | 'sslserver',
  ...more: string[]
): Promise<Verdict> {
  const file = await files(chain);
  const crl = chain.crl ? ['--load-crl', file.crl] : [];
  const args = ['--verify', '--verify-purpose', purposes[purpose], ...crl, ...more];
  return judge('certtool', [...args, '--load-ca-certificate', file.root, '--infile', file.chain]);
}

async function files({ leaf, intermediates = [], root, crl }: Chain) {
  const directory = await scratch();
  const put = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const certificates = (...ders: readonly Uint8Array[]) =>
    ders.map((der) => pem('CERTIFICATE', der)).join('');
  return {
    leaf: put('leaf.crt', certificates(leaf)),
    intermediates: put('intermediates.crt', certificates(...intermediates)),
    chain: put('chain.crt', certificates(leaf, ...intermediates)),
    root: put('root.crt', certificates(root)),
    crl: put('list.crl', crl ? pem('X509 CRL', crl) : ''),
  };
}

export function opensslText(der: Uint8Array): string {
  return judge('openssl', ['x509', '-inform', 'der', '-noout', '-text'], der).words;
}

export function gnutlsText(der: Uint8Array): string {
  return judge('certtool', ['--certificate-info', '--inder'], der).words;
}

export function opensslCrlText(der: Uint8Array): string {
  return judge('openssl', ['crl', '-inform', 'der', '-noout', '-text'], der).words;
}

export function gnutlsCrlText(der: Uint8Array): string {
  return judge('certtool', ['--crl-info', '--inder'], der).words;
}
