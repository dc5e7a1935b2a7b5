import { execFileSync } from 'node:child_process';
import { createECDH } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A key of P-256 and its certificate, made with openssl: files PEM, `der` the certificate. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
  readonly der: Uint8Array;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** The scalar, 32 bytes. */
  readonly privateKey: Uint8Array;
}

export const usage = { client: 'extendedKeyUsage=clientAuth', server: 'extendedKeyUsage=serverAuth' };

const leaf = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];

/** Makes keys and certificates in a directory. */
export class Pki {
  readonly #directory: string;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A root, or below another one. */
  ca(name: string, issuer?: Certified): Certified {
    const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
    return this.#make(`/CN=${name}`, extensions, issuer, []);
  }

  issue(
    issuer: Certified,
    subject: string,
    extensions: readonly string[],
    ...more: readonly string[]
  ): Certified {
    return this.#make(subject, [...leaf, ...extensions], issuer, more);
  }

  device(issuer: Certified, id: string): Certified {
    return this.issue(issuer, `/CN=${id}/serialNumber=${id}`, [usage.client]);
  }

  broker(issuer: Certified, name = 'broker.example', ...more: readonly string[]): Certified {
    return this.issue(issuer, '/CN=broker', [usage.server, `subjectAltName=DNS:${name}`], ...more);
  }

  /** Another certificate for the key of a device. */
  reissue(issuer: Certified, device: Certified, id: string): Certified {
    const subject = `/CN=${id}/serialNumber=${id}`;
    return this.#sign(device, subject, [...leaf, usage.client], issuer, []);
  }

  #make(
    subject: string,
    extensions: readonly string[],
    issuer: Certified | undefined,
    more: readonly string[],
  ): Certified {
    const pair = createECDH('prime256v1');
    const publicKey = pair.generateKeys();
    const privateKey = Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex');
    const key = join(this.#directory, `${this.#made}.key`);
    writeFileSync(key, pemKey(privateKey), { mode: 0o600 });
    return this.#sign({ key, publicKey, privateKey }, subject, extensions, issuer, more);
  }

  #sign(
    { key, publicKey, privateKey }: Pick<Certified, 'key' | 'publicKey' | 'privateKey'>,
    subject: string,
    extensions: readonly string[],
    issuer: Certified | undefined,
    more: readonly string[],
  ): Certified {
    const at = (ending: string) => join(this.#directory, `${this.#made}.${ending}`);
    writeFileSync(at('ext'), extensions.join('\n'));
    openssl('req', '-new', '-key', key, '-subj', subject, '-out', at('csr'));
    const signer = issuer ? ['-CA', issuer.certificate, '-CAkey', issuer.key] : ['-signkey', key];
    const days = more.includes('-days') ? [] : ['-days', '3650'];
    const form = ['-req', '-in', at('csr'), '-sha256', '-extfile', at('ext'), '-out', at('crt')];
    openssl('x509', ...form, ...signer, '-set_serial', String(1000 + this.#made), ...days, ...more);
    const certificate = at('crt');
    this.#made += 1;
    return { certificate, key, der: derOf(readFileSync(certificate, 'latin1')), publicKey, privateKey };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** ECPrivateKey of a named curve, without the public key (RFC 5915 section 3). */
function pemKey(scalar: Uint8Array): string {
  const der = Buffer.concat([
    Buffer.from('30310201010420', 'hex'),
    scalar,
    Buffer.from('a00a06082a8648ce3d030107', 'hex'),
  ]);
  return `-----BEGIN EC PRIVATE KEY-----\n${der.toString('base64')}\n-----END EC PRIVATE KEY-----\n`;
}

function derOf(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
