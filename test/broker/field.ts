import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { issueBrokerCertificate, issueCrl, revoke } from '../../src/authority.ts';
import { issueDeviceCertificates } from '../../src/issue-devices.ts';
import { createAuthority, type OpenAuthority, openAuthority } from '../../src/authority-directory.ts';
import type { AuthorityFile } from '../../src/authority-file.ts';
import { type Authority, makeRoot } from '../../src/ca/authority.ts';
import type { RevocationReason } from '../../src/ca/crl.ts';
import type { IssuerRole } from '../../src/ca/ledger/certificate-rows.ts';
import type { Name } from '../../src/ca/name.ts';
import type { Issuer, Subject } from '../../src/ca/profile.ts';
import { randomSerial } from '../../src/ca/serial.ts';
import { signed } from '../../src/ca/signed.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { formatPem } from '../../src/pem.ts';
import { newSigner } from '../ca/authorities.ts';
import { unlocked } from '../ca/temporary-ca.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { lineside } from '../support/program.ts';

/*
 * The field: CAs made by lineside, devices that asked them for certificates with requests of their own keys, and what
 * `lineside broker export` makes of it, put in place as the README in it says.
 */

/** A certificate and its key, as the files that TLS programs take. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

/** TBSCertificate DER. */
type Make = (issuer: Issuer, subject: Subject) => Uint8Array;

/** As `unlocked` knows it. */
const password = () => Buffer.from('correct horse battery staple');
const by = (station: string | null = null) => ({ station, officer: 'test', now: new Date() });

/** A CA that calls itself what one of the field does, with a key of its own. */
export function lookalike(role: IssuerRole): Promise<Authority> {
  const name: Name = [
    ['organization', 'Acme'],
    ['commonName', `Acme ${role} CA`],
  ];
  return makeRoot(name, newSigner(), daysAfter(new Date(), -3));
}

/** A directory that processes of other users can look into. */
export async function openField(): Promise<Field> {
  const root = await mkdtemp(join(tmpdir(), 'lineside-broker-'));
  chmodSync(root, 0o755);
  return new Field(root);
}

export class Field {
  readonly root: string;
  #files = 0;

  constructor(root: string) {
    this.root = root;
  }

  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  /** A new name. */
  path(name: string): string {
    return join(this.root, `${(this.#files += 1)}-${name}`);
  }

  /** A new file. */
  file(name: string, content: string | Uint8Array): string {
    const path = this.path(name);
    writeFileSync(path, content, { mode: 0o644 });
    return path;
  }

  /** A certificate with these fields, and that of who signs it. */
  async signedBy({ issuer, signer, certificate }: Authority, make: Make): Promise<Identity> {
    const { publicKeyInfo, key } = goodParts();
    const validity = { notBefore: daysAfter(new Date(), -2), notAfter: daysAfter(new Date(), 2) };
    const subject = { serial: randomSerial(), validity, publicKey: publicKeyInfo.subarray(-65) };
    const der = await signed(make(issuer, subject), signer);
    return this.identity([der, certificate], key.export({ format: 'pem', type: 'pkcs8' }));
  }

  async ca(structure: AuthorityFile['structure'] = 'roots', validDays: number | null = null): Promise<Ca> {
    const directory = this.path('ca');
    const keys = { kind: 'file', passwords: 1 } as const;
    const file = { name: 'Acme', profile: 'default', validDays, structure, keys } as const;
    await createAuthority(directory, file, password(), new Date());
    return new Ca(this, directory);
  }

  identity(certificates: readonly Uint8Array[], key: Uint8Array | string): Identity {
    const certificate = certificates.map((der) => formatPem('CERTIFICATE', der)).join('');
    return { certificate: this.file('crt', certificate), key: this.file('key', key) };
  }

  /** Runs the program and does with the export what its README says. @returns where it is on the broker */
  async exportFor(port: number, own: Identity, ...args: readonly string[]): Promise<string> {
    const place = join(this.root, `broker-${port}`);
    const prefix = join(place, 'lineside');
    await mkdir(place, { recursive: true });
    const user = userInfo().uid === 0 ? 'mosquitto' : userInfo().username;
    const stick = this.path('stick');
    const where = ['--prefix', prefix, '--user', user, '--listen', `127.0.0.1:${port}`];
    const made = await lineside(['broker', 'export', stick, ...where, ...args]);
    if (made.code !== 0) throw new Error(made.stderr);
    for (const [name, from] of [['crt', own.certificate] as const, ['key', own.key] as const])
      execFileSync('install', ['-o', user, '-m', '0400', from, join(place, `broker.${name}`)]);
    putInPlace(stick);
    return prefix;
  }
}

/** Runs what the README of an export says under this heading. */
export function putInPlace(directory: string): void {
  const readme = readFileSync(join(directory, 'README.txt'), 'utf8');
  const section = readme.split(/\n\n\n/).find((each) => each.startsWith('PUT IT IN PLACE')) ?? '';
  const commands = section.split('\n').filter((line) => line.startsWith('  '));
  execFileSync('sh', ['-ec', commands.join('\n')], { cwd: directory, stdio: 'pipe' });
}

export class Ca {
  readonly directory: string;
  readonly #field: Field;
  readonly #signers: Partial<Record<IssuerRole, Authority>>;

  constructor(field: Field, directory: string, signers: Partial<Record<IssuerRole, Authority>> = {}) {
    this.#field = field;
    this.directory = directory;
    this.#signers = signers;
  }

  get crl(): string {
    return `${this.directory}.crl`;
  }

  /** The same CA at this moment, as from a backup. */
  copy(): Ca {
    const directory = this.#field.path('ca');
    cpSync(this.directory, directory, { recursive: true });
    const twin = new Ca(this.#field, directory, this.#signers);
    if (existsSync(this.crl)) cpSync(this.crl, twin.crl);
    return twin;
  }

  /** What the export is told of this CA. */
  get told(): string[] {
    return ['--ca', this.directory, '--crl', this.crl];
  }

  certificate(role: IssuerRole | 'root'): string {
    return join(this.directory, `${role}-ca.crt`);
  }

  /** New devices of these ids. */
  async devices(...ids: readonly string[]): Promise<Identity[]> {
    const parts = ids.map((id) => goodParts(id));
    const issued = await this.certify(parts.map(assemble));
    return issued.map((der, at) => {
      const key = parts[at]?.key.export({ format: 'pem', type: 'pkcs8' }) ?? '';
      return this.#field.identity([der], key);
    });
  }

  certify(requests: readonly Uint8Array[], station: string | null = null): Promise<Uint8Array[]> {
    return this.#signing('device', async (authority, signing) => {
      const issued = await issueDeviceCertificates(authority, signing, requests, by(station));
      return issued.map(({ der }) => der);
    });
  }

  /** A broker's certificate, with what stands between it and its trust anchor. */
  broker(...dns: readonly string[]): Promise<Identity> {
    const { publicKeyInfo, key } = goodParts();
    const publicKey = publicKeyInfo.subarray(-65);
    return this.#signing('broker', async (authority, signing) => {
      const order = { publicKey, csrSha256: null, dns, days: 30 };
      const { der } = await issueBrokerCertificate(authority, signing, order, by());
      const above = authority.file.structure === 'roots' ? [] : [signing.certificate];
      return this.#field.identity([der, ...above], key.export({ format: 'pem', type: 'pkcs8' }));
    });
  }

  /** A certificate that the CA would not make, signed with its key all the same. */
  forged(role: IssuerRole, make: Make): Promise<Identity> {
    return this.#signing(role, (_, signing) => this.#field.signedBy(signing, make));
  }

  /** A certificate of the device CA for an RSA key, made by openssl. */
  rsa(id: string): Identity {
    const [key, certificate] = [this.#field.file('key', ''), this.#field.file('crt', '')];
    const words = this.#field.file('password', password());
    const extensions = this.#field.file(
      'ext',
      'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n',
    );
    const openssl = (args: string) => execFileSync('openssl', args.split(' '), { stdio: 'pipe' });
    openssl(`genpkey -algorithm RSA -out ${key}`);
    const request = openssl(`req -new -key ${key} -subj /CN=${id}/serialNumber=${id}`);
    const [ca, caKey] = [this.certificate('device'), join(this.directory, 'device-ca.key')];
    const signing = `-CA ${ca} -CAkey ${caKey} -passin file:${words} -set_serial 0x70 -extfile ${extensions}`;
    const args = `x509 -req ${signing} -days 2 -out ${certificate}`.split(' ');
    execFileSync('openssl', args, { input: request, stdio: 'pipe' });
    return { certificate, key };
  }

  /** The next CRL, in the place of the one before. */
  async signCrl(days = 30, role: IssuerRole = 'device'): Promise<void> {
    const { der } = await this.#signing(role, (authority, signing) =>
      issueCrl(authority, signing, role, days, by()),
    );
    writeFileSync(this.crl, formatPem('X509 CRL', der));
  }

  /** A CRL that is not in the ledger, signed with the key all the same. */
  forgedCrl(make: (issuer: Issuer) => Uint8Array): Promise<string> {
    return this.#signing('device', async (_, { issuer, signer }) =>
      this.#field.file('crl', formatPem('X509 CRL', await signed(make(issuer), signer))),
    );
  }

  revoke(id: string, reason: RevocationReason = 'keyCompromise'): Promise<string[]> {
    return this.open((authority) => revoke(authority, id, reason, by()));
  }

  async open<T>(act: (authority: OpenAuthority) => Promise<T>): Promise<T> {
    const authority = await openAuthority(this.directory, new Date());
    try {
      return await act(authority);
    } finally {
      await authority.ledger.close();
    }
  }

  /** A key from a file needs no closing, and to open it takes long by design. */
  #signing<T>(
    role: IssuerRole,
    act: (authority: OpenAuthority, signing: Authority) => Promise<T>,
  ): Promise<T> {
    return this.open(async (authority) => {
      const signing = this.#signers[role] ?? (await unlocked(authority, role));
      this.#signers[role] = signing;
      return act(authority, signing);
    });
  }
}
