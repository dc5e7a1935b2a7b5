import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import type { Finding } from '../../src/audit/finding.ts';
import { auditStation } from '../../src/audit-station.ts';
import { createAuthority } from '../../src/authority-directory.ts';
import { plain } from '../ca/temporary-ca.ts';
import { openRaw, type RawSql } from '../registry/temporary-registry.ts';
import { scratch } from '../support/program.ts';
import { StationLife } from '../support/station-life.ts';
import { password } from '../support/submitted.ts';

/** A directory for the tests of this file, with two CAs in it that nobody has used. */
export function workshopWithAuthorities(): { readonly path: string; readonly authorities: [string, string] } {
  const shop = { path: '', authorities: ['', ''] as [string, string] };
  beforeAll(async () => {
    shop.path = await mkdtemp(join(tmpdir(), 'lineside-audit-'));
    shop.authorities = [join(shop.path, 'before'), join(shop.path, 'after')];
    const now = new Date();
    await Promise.all(
      shop.authorities.map((path, at) =>
        createAuthority(path, { ...plain, name: `CA ${at}` }, password(), now),
      ),
    );
    return () => rm(shop.path, { recursive: true });
  });
  return shop;
}

/**
 * Devices 1, 2, 3 and 9 in a first batch, 5 and 6 in a second, 7 in a third under another CA, which has certified all
 * of them anew; 4 is void, 8 has only been verified. 1 has its first certificate on board, 2 its second.
 */
export async function livedIn(life: StationLife): Promise<void> {
  await life.make(3);
  await life.add('verified', '00000009');
  await life.add('flashing');
  await life.void('00000004', 'dropped on the floor');
  await life.exchange();
  await life.install('00000001');
  await life.lease('00000020-0000002F');
  await life.make(2);
  await life.exchange();
  await life.succeed();
  await life.install('00000002');
  await life.make(1);
  await life.exchange();
  await life.make(1);
}

/** A copy that goes with the test. */
export async function copyOf({ directory }: StationLife): Promise<string> {
  const copy = join(await scratch(), 'st07');
  await cp(directory, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

export async function audited(directory: string, now = new Date()): Promise<Finding[]> {
  const all: Finding[] = [];
  for await (const finding of auditStation(directory, now, () => {}).findings) all.push(finding);
  return all;
}

/** What is said beside notices, each kind once. */
export function codesOf(findings: readonly Finding[]): string[] {
  return [
    ...new Set(findings.filter(({ severity }) => severity !== 'notice').map(({ code }) => code)),
  ].sort();
}

/** By hand, with the rules of the registry off while it is done, and on again. */
export async function byHand(
  directory: string,
  work: string | ((raw: RawSql) => Promise<void>),
): Promise<void> {
  const raw = await openRaw(join(directory, 'registry.db'));
  const rules = await raw.all("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
  await raw.exec('PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF');
  for (const { name } of rules) await raw.exec(`DROP TRIGGER ${String(name)}`);
  await (typeof work === 'string' ? raw.exec(work) : work(raw));
  for (const { sql } of rules) await raw.exec(String(sql));
  await raw.close();
  await rm(join(directory, 'registry.db-shm'), { force: true });
}
