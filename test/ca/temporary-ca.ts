import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { issueDeviceCertificates, type Provenance } from '../../src/issue-devices.ts';
import { createAuthority, type OpenAuthority, openAuthority } from '../../src/authority-directory.ts';
import { unlock } from '../../src/authority-keys.ts';
import type { AuthorityFile } from '../../src/authority-file.ts';
import type { Authority } from '../../src/ca/authority.ts';
import { scratch } from '../support/program.ts';

const password = () => Buffer.from('correct horse battery staple');

export const plain: AuthorityFile = {
  name: 'Acme',
  profile: 'default',
  validDays: null,
  structure: 'roots',
  keys: { kind: 'file', passwords: 1 },
};

/** A new CA directory that goes with the test: a copy, because making the keys of one takes half a second. */
export async function newDirectory(file = plain): Promise<string> {
  const directory = join(await scratch(), 'ca');
  await cp(await (made[file.structure] ??= make(file)), directory, { recursive: true });
  return directory;
}

const workshops: string[] = [];
afterAll(() => Promise.all(workshops.map((workshop) => rm(workshop, { recursive: true }))));

const made: Partial<Record<AuthorityFile['structure'], Promise<string>>> = {};

async function make(file: AuthorityFile): Promise<string> {
  const workshop = await mkdtemp(join(tmpdir(), 'lineside-ca-'));
  workshops.push(workshop);
  await createAuthority(join(workshop, 'ca'), file, password(), new Date());
  return join(workshop, 'ca');
}

export interface AtWork {
  readonly directory: string;
  readonly authority: OpenAuthority;
  readonly signing: Authority;
  readonly by: Provenance;
  readonly issue: (...requests: readonly Uint8Array[]) => ReturnType<typeof issueDeviceCertificates>;
}

/** A key file needs no closing, so what can sign may be handed out. */
export function unlocked(authority: OpenAuthority, role: 'device' | 'broker'): Promise<Authority> {
  return unlock(authority, password(), (keys) => keys.authority(role));
}

/** A CA that is open and has its device key at hand. */
export async function atWork(file = plain): Promise<AtWork> {
  const directory = await newDirectory(file);
  const now = new Date();
  const authority = await openAuthority(directory, now);
  onTestFinished(() => authority.ledger.close());
  const signing = await unlocked(authority, 'device');
  const by = { station: null, officer: 'test', now };
  const issue = (...requests: readonly Uint8Array[]) =>
    issueDeviceCertificates(authority, signing, requests, by);
  return { directory, authority, signing, by, issue };
}
