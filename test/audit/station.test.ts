import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/audit/finding.ts';
import { auditStation } from '../../src/audit-station.ts';
import { createAuthority } from '../../src/authority-directory.ts';
import { plain } from '../ca/temporary-ca.ts';
import { StationLife } from '../support/station-life.ts';
import { password } from '../support/submitted.ts';

let workshop: string;
let life: StationLife;
beforeAll(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'lineside-audit-'));
  const cas = ['first', 'second'].map((name) => join(workshop, name)) as [string, string];
  for (const ca of cas) await createAuthority(ca, { ...plain, name: ca.slice(-5) }, password(), new Date());
  life = await StationLife.begin(join(workshop, 'life'), cas);
  return () => rm(workshop, { recursive: true });
});

async function audit(directory: string) {
  const { findings, checked } = auditStation(directory, new Date(), () => {});
  const all: Finding[] = [];
  for await (const finding of findings) all.push(finding);
  return { all, checked };
}

test('x', async () => {
  let t = performance.now();
  const lap = (n: string) => { console.log(n, performance.now() - t); t = performance.now(); };
  await life.make(3);
  await life.make(1, 'verified', '00000009');
  await life.make(1, 'flashing');
  await life.void('00000005' === '' ? '' : '00000004', 'x'); lap('make');
  await life.exchange(); lap('exchange');
  await life.install('00000001'); lap('install');
  await life.lease('00000020-0000002F'); lap('lease');
  await life.make(2); await life.exchange(); lap('more');
  await life.succeed(); lap('succeed');
  await life.install('00000002');
  await life.make(1, 'reserved');
  await life.make(1, 'verified');
  await life.exchange(); lap('last');
  const { all, checked } = await audit(life.directory); lap('audit');
  console.log(JSON.stringify(all, null, 1), checked);
});
