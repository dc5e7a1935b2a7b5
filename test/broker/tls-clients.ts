import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from './field.ts';
import { MqttSession } from './mqtt.ts';

/*
 * The device's side of the handshake, by TLS programs that share no code with each other. One more, for example a
 * device's own stack, needs a command line that carries raw bytes between its stdin and the broker, and the words by
 * which it tells an alert and its own refusal.
 */

/** What a client offers instead of what a device does. */
export type Offer = 'device' | 'tls-1.2' | 'aes-256' | 'chacha20' | 'x25519' | 'p-384' | 'anything';

export interface Attempt {
  readonly port: number;
  /** The certificates of CAs it believes in, a file. */
  readonly anchors: string;
  readonly identity: Identity | null;
  readonly offer?: Offer;
}

export interface TlsClient {
  readonly name: string;
  /** Words go to stderr or to this file, for stdout is the broker's. */
  readonly command: (attempt: Attempt, wordsFile: string) => readonly string[];
  /** The number of the alert that the broker sent (RFC 8446 6). */
  readonly alert: RegExp;
  /** How it refuses a broker. */
  readonly refusals: { readonly chain: RegExp; readonly name: RegExp; readonly purpose: RegExp };
}

const offersOfOpenssl: Readonly<Record<Offer, readonly string[]>> = {
  device: ['-tls1_3', '-ciphersuites', 'TLS_AES_128_GCM_SHA256', '-groups', 'P-256'],
  'tls-1.2': ['-tls1_2'],
  'aes-256': ['-tls1_3', '-ciphersuites', 'TLS_AES_256_GCM_SHA384'],
  chacha20: ['-tls1_3', '-ciphersuites', 'TLS_CHACHA20_POLY1305_SHA256'],
  x25519: ['-tls1_3', '-groups', 'X25519'],
  'p-384': ['-tls1_3', '-groups', 'P-384'],
  anything: [],
};

const openssl: TlsClient = {
  name: 'openssl s_client',
  command: ({ port, anchors, identity, offer = 'device' }) => [
    'openssl',
    's_client',
    '-quiet',
    '-verify_return_error',
    `-connect=127.0.0.1:${port}`,
    `-CAfile=${anchors}`,
    '-verify_hostname=localhost',
    '-purpose=sslserver',
    ...(identity ? ['-cert', identity.certificate, '-key', identity.key] : []),
    ...offersOfOpenssl[offer],
  ],
  alert: /SSL alert number (\d+)/,
  refusals: {
    chain: /verify error:num=(19|20|21|30)\b/,
    name: /verify error:num=62:hostname mismatch/i,
    purpose: /verify error:num=26:unsuitable certificate purpose/i,
  },
};

const priorities: Readonly<Record<Offer, string>> = {
  device: 'NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+GROUP-SECP256R1:+SIGN-ECDSA-SECP256R1-SHA256:+CTYPE-X509',
  'tls-1.2': 'NORMAL:-VERS-ALL:+VERS-TLS1.2',
  'aes-256': 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM',
  chacha20: 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305',
  x25519: 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519',
  'p-384': 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1',
  anything: 'NORMAL',
};

const gnutls: TlsClient = {
  name: 'gnutls-cli',
  command: ({ port, anchors, identity, offer = 'device' }, wordsFile) => [
    'gnutls-cli',
    `--logfile=${wordsFile}`,
    `--priority=${priorities[offer]}`,
    `--x509cafile=${anchors}`,
    '--verify-hostname=localhost',
    '--sni-hostname=localhost',
    `--port=${port}`,
    ...(identity ? ['--x509certfile', identity.certificate, '--x509keyfile', identity.key] : []),
    '127.0.0.1',
  ],
  alert: /Received alert \[(\d+)\]/,
  refusals: {
    chain: /The certificate issuer is unknown|certificate is NOT trusted/,
    name: /name in the certificate does not match/,
    purpose: /does not match the intended purpose/,
  },
};

export const clients = [openssl, gnutls] as const;

export interface Connection {
  readonly session: MqttSession;
  /** All words it said, once it has ended. */
  readonly ended: Promise<string>;
  readonly close: () => Promise<string>;
}

export function connectWith(client: TlsClient, attempt: Attempt): Connection {
  const directory = mkdtempSync(join(tmpdir(), 'lineside-tls-'));
  const wordsFile = join(directory, 'words');
  writeFileSync(wordsFile, '');
  const [file = '', ...args] = client.command(attempt, wordsFile);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // the broker has hung up
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const ended = new Promise<string>((resolve) => {
    child.on('close', () => {
      resolve(`${words}${readFileSync(wordsFile, 'utf8')}`);
      rmSync(directory, { recursive: true });
    });
  });
  const close = () => {
    child.kill();
    return ended;
  };
  return { session: new MqttSession(child.stdout, child.stdin), ended, close };
}
