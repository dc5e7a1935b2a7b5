import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type AuthorityFile, formatAuthorityFile, readAuthorityFile } from './authority-file.ts';
import { type KeyMaker, type Role, withNewKeys } from './authority-keys.ts';
import { type Authority, makeIntermediate, makeRoot } from './ca/authority.ts';
import { readCertificate } from './ca/certificate.ts';
import type { IssuerRole } from './ca/ledger/certificate-rows.ts';
import { lastAct } from './ca/ledger/history.ts';
import { ledgerStore } from './ca/ledger/store.ts';
import type { Name } from './ca/name.ts';
import type { Signer } from './ca/signer.ts';
import { writeDurably } from './durable.ts';
import { LinesideError, systemWords } from './errors.ts';
import { makeDirectory } from './new-directory.ts';
import { NoteError, readVerifier, type Verifier } from './note.ts';
import { formatPem, parsePem } from './pem.ts';
import type { Connection } from './sqlite/connection.ts';
import { createConnection, openConnection } from './sqlite/open.ts';

const authorityFile = 'ca.json';
const ledgerFile = 'ledger.db';
const certificateFile = (role: Role) => `${role}-ca.crt`;
const exchangeVerifierFile = 'exchange.vkey';

/** A CA's directory without its keys. */
export interface AuthorityDirectory {
  readonly path: string;
  readonly file: AuthorityFile;
  /** DER of the two CAs' certificates. */
  readonly certificates: Readonly<Record<IssuerRole, Uint8Array>>;
  /** DER of the trust anchor of each: the root's certificate if there is one. */
  readonly anchors: Readonly<Record<IssuerRole, Uint8Array>>;
  /** What stations check its batches with. */
  readonly exchange: Verifier;
}

/** A CA in use: nobody else can open it until its ledger is closed. */
export interface OpenAuthority extends AuthorityDirectory {
  readonly ledger: Connection;
}

/**
 * Makes a CA directory, mode 0700, with its keys under this password, or in a token of this PIN: whole or not at all.
 * @throws LinesideError `ca-exists`, `directory-unwritable`, `ledger-…`, `token-…`, `wrong-pin`
 */
export function createAuthority(
  directory: string,
  file: AuthorityFile,
  secret: Uint8Array,
  now: Date,
): Promise<void> {
  return withNewKeys(file, secret, (make) =>
    makeDirectory(directory, 'ca-exists', (draft) => fill(draft, file, now, make(draft))),
  );
}

async function fill(draft: string, file: AuthorityFile, now: Date, make: KeyMaker): Promise<void> {
  for (const [role, { certificate }] of await makeAuthorities(file, (role) => make.authority(role), now))
    await writeDurably(join(draft, certificateFile(role)), formatPem('CERTIFICATE', certificate));
  const { verifier } = await make.exchange();
  await writeDurably(join(draft, exchangeVerifierFile), `${verifier.line}\n`);
  await (await createConnection(ledgerStore, join(draft, ledgerFile))).close();
  await writeDurably(join(draft, authorityFile), formatAuthorityFile(file));
}

async function makeAuthorities(
  file: AuthorityFile,
  make: (role: Role) => Promise<Signer>,
  now: Date,
): Promise<[Role, Authority][]> {
  const name = (role: Role): Name => [
    ['organization', file.name],
    ['commonName', `${file.name} ${role} CA`],
  ];
  const made: [Role, Authority][] = [];
  const root = file.structure === 'roots' ? null : await makeRoot(name('root'), await make('root'), now);
  if (root) made.push(['root', root]);
  for (const role of ['device', 'broker'] as const) {
    const signer = await make(role);
    const own = root
      ? await makeIntermediate(root, name(role), signer, now)
      : await makeRoot(name(role), signer, now);
    made.push([role, own]);
  }
  return made;
}

/** What a CA is, without its ledger and keys. @throws LinesideError `ca-missing`, `ca-invalid` */
export async function readAuthority(directory: string): Promise<AuthorityDirectory> {
  const path = resolve(directory);
  const file = await readAuthorityFile(join(path, authorityFile));
  const [device, broker] = [await certificateIn(path, 'device'), await certificateIn(path, 'broker')];
  const certificates = { device, broker };
  const root = file.structure === 'roots' ? null : await certificateIn(path, 'root');
  const anchors = root ? { device: root, broker: root } : certificates;
  return { path, file, certificates, anchors, exchange: await exchangeIn(path) };
}

/**
 * With its ledger. A clock that stands before what the CA last did would give certificates and CRLs a wrong date: a
 * PC that is on once a month has an old battery.
 * @throws LinesideError `ca-missing`, `ca-invalid`, `clock-behind`, `ledger-…`
 */
export async function openAuthority(directory: string, now: Date): Promise<OpenAuthority> {
  const authority = await readAuthority(directory);
  const ledger = await openConnection(ledgerStore, join(authority.path, ledgerFile));
  try {
    const began = readCertificate(authority.certificates.device).notBefore;
    const last = (await ledger.transaction(lastAct)) ?? began;
    if (now < last)
      throw new LinesideError('clock-behind', { now: now.toISOString(), last: last.toISOString() });
    return { ...authority, ledger };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function certificateIn(directory: string, role: Role): Promise<Uint8Array> {
  const path = join(directory, certificateFile(role));
  try {
    const [der, ...others] = parsePem('CERTIFICATE', await readFile(path, 'latin1')) ?? [];
    if (!der || others.length > 0) throw new Error('it is not one certificate in PEM');
    readCertificate(der);
    return der;
  } catch (cause) {
    const reason = `${certificateFile(role)}: ${systemWords(cause)}`;
    throw new LinesideError('ca-invalid', { path: directory, reason }, { cause });
  }
}

async function exchangeIn(directory: string): Promise<Verifier> {
  try {
    return readVerifier((await readFile(join(directory, exchangeVerifierFile), 'utf8')).replace(/\n$/, ''));
  } catch (cause) {
    const words = cause instanceof NoteError ? cause.message : systemWords(cause);
    const reason = `${exchangeVerifierFile}: ${words}`;
    throw new LinesideError('ca-invalid', { path: directory, reason }, { cause });
  }
}
