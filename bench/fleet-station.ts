import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, type OpenAuthority, openAuthority } from '../src/authority-directory.ts';
import { bootClock } from '../src/boot-clock.ts';
import { insertLease, insertStation } from '../src/ca/ledger/station-rows.ts';
import { parseStation } from '../src/config.ts';
import { parseLease } from '../src/device.ts';
import { exportBatch } from '../src/export-batch.ts';
import { importBatch } from '../src/import-batch.ts';
import { logWriter } from '../src/log/writer.ts';
import { unitAdvanced, unitReserved } from '../src/registry/event.ts';
import type { LogEvent } from '../src/registry/log.ts';
import type { Step } from '../src/registry/registry.ts';
import { takeNextId } from '../src/registry/sqlite/lease-rows.ts';
import { appendLeaves } from '../src/registry/sqlite/log-rows.ts';
import { registryStore } from '../src/registry/sqlite/store.ts';
import { insertUnit, updateUnit } from '../src/registry/sqlite/unit-rows.ts';
import { openConnection } from '../src/sqlite/open.ts';
import type { Statements } from '../src/sqlite/statements.ts';
import { createStation, openStation } from '../src/station-directory.ts';
import { readStationKey } from '../src/station-key.ts';
import { trustAuthority } from '../src/trusted-authority.ts';
import { assemble, goodParts } from '../test/csr/bad-requests.ts';
import { answered, password } from '../test/support/submitted.ts';

export interface FleetStation {
  readonly directory: string;
  /** Makes so many units more, and has them certified: a thousand in a transaction, or it would take an hour. */
  grow(count: number): Promise<void>;
}

const lease = parseLease('00000001-00FFFFFF');
const keys = { kind: 'file', passwords: 1 } as const;
const file = { name: 'Bench', profile: 'default', validDays: null, structure: 'roots', keys } as const;
const now = new Date();

/** A station with a real CA beside it, in a directory that is not there yet. */
export async function fleetStation(workshop: string): Promise<FleetStation> {
  mkdirSync(workshop, { recursive: true });
  const [directory, ca] = [join(workshop, 'st07'), join(workshop, 'ca')];
  await createStation(directory, parseStation('st07', 'nrf52840', []), lease);
  await createAuthority(ca, file, password(), now);
  await withAuthority(ca, async (authority) => {
    const { verifier } = await readStationKey(directory, 'st07');
    await authority.ledger.transaction(async (sql) => {
      await insertStation(sql, { name: 'st07', verifier: verifier.line }, 'bench', now);
      await insertLease(sql, 'st07', lease, 'bench', now);
    });
    const { registry } = await openStation(directory);
    await trustAuthority(registry, authority.exchange, 'first');
    await registry.close();
  });
  let batches = 0;
  return {
    directory,
    grow: async (count) => {
      await addVerified(join(directory, 'registry.db'), count);
      const at = (way: string) => join(workshop, `${way}-${batches}`);
      await withAuthority(ca, (authority) => certify(authority, directory, at('out'), at('in')));
      batches += 1;
    },
  };
}

async function addVerified(path: string, count: number): Promise<void> {
  const writer = logWriter({ station: 'st07', sw: '0.1.0', boot: await bootClock() });
  const connection = await openConnection(registryStore, path);
  for (let made = 0; made < count; made += 1000)
    await connection.transaction(async (sql) => {
      const at = new Date().toISOString();
      const events: LogEvent[] = [];
      for (let n = made; n < Math.min(count, made + 1000); n += 1) events.push(...(await verified(sql, at)));
      await appendLeaves(sql, writer, events, at);
    });
  await connection.close();
}

async function verified(sql: Statements, at: string): Promise<LogEvent[]> {
  const id = await takeNextId(sql);
  await insertUnit(sql, id, at);
  const parts = goodParts(id);
  const steps: Step[] = [
    { to: 'keyed', csr: assemble(parts), spkiSha256: sha256(parts.publicKeyInfo) },
    {
      to: 'flashing',
      uid: sha256(id).slice(0, 16).toUpperCase(),
      probe: 'a',
      firmwareSha256: sha256('firmware'),
    },
    { to: 'flashed' },
    { to: 'verified', proof: 'read-back', locked: false },
  ];
  const events: LogEvent[] = [unitReserved(id)];
  for (const step of steps) events.push(unitAdvanced(id, await updateUnit(sql, id, step, at), step));
  return events;
}

async function certify(
  authority: OpenAuthority,
  directory: string,
  out: string,
  answer: string,
): Promise<void> {
  const station = await openStation(directory);
  await exportBatch(directory, station, out, 'next');
  await answered(authority, out, answer, { station: null, officer: 'bench', now });
  await importBatch(station, answer);
  await station.registry.close();
}

async function withAuthority(path: string, work: (authority: OpenAuthority) => Promise<void>): Promise<void> {
  const authority = await openAuthority(path, now);
  await work(authority);
  await authority.ledger.close();
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
