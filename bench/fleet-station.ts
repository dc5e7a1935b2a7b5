import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootClock } from '../src/boot-clock.ts';
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
import { trustAuthority } from '../src/trusted-authority.ts';
import { createAuthority, openAuthority } from '../src/authority-directory.ts';
import { assemble, goodParts } from '../test/csr/bad-requests.ts';
import { answered, password } from '../test/support/submitted.ts';
import { insertLease, insertStation } from '../src/ca/ledger/station-rows.ts';

/** A station with this many certified units, made as the program makes them but with a thousand in a transaction. */
export async function fleetStation(workshop: string, count: number): Promise<string> {
  const directory = join(workshop, 'st07');
  mkdirSync(workshop, { recursive: true });
  await createStation(directory, parseStation('st07', 'nrf52840', []), parseLease('00000001-00FFFFFF'));
  await addVerified(join(directory, 'registry.db'), count);
  await certify(workshop, directory);
  return directory;
}

async function addVerified(path: string, count: number): Promise<void> {
  const writer = logWriter({ station: 'st07', sw: '0.1.0', boot: await bootClock() });
  const connection = await openConnection(registryStore, path);
  for (let made = 0; made < count; ) {
    const some = Math.min(1000, count - made);
    await connection.transaction(async (sql) => {
      const at = new Date().toISOString();
      const events: LogEvent[] = [];
      for (let n = 0; n < some; n += 1) events.push(...(await verified(sql, at)));
      await appendLeaves(sql, writer, events, at);
    });
    made += some;
  }
  await connection.close();
}

async function verified(sql: Statements, at: string): Promise<LogEvent[]> {
  const id = await takeNextId(sql);
  await insertUnit(sql, id, at);
  const csr = assemble(goodParts(id));
  const steps: Step[] = [
    { to: 'keyed', csr, spkiSha256: spkiOf(csr) },
    { to: 'flashing', uid: `00000000${id}`, probe: 'a', firmwareSha256: 'ab'.repeat(32) },
    { to: 'flashed' },
    { to: 'verified', proof: 'read-back', locked: false },
  ];
  const events: LogEvent[] = [unitReserved(id)];
  for (const step of steps) events.push(unitAdvanced(id, await updateUnit(sql, id, step, at), step));
  return events;
}

/** Of a request of `assemble`: the SubjectPublicKeyInfo is its first element of this form. */
function spkiOf(csr: Buffer): string {
  const from = csr.indexOf(Buffer.from('3059301306072a8648ce3d0201', 'hex'));
  return createHash('sha256')
    .update(csr.subarray(from, from + 91))
    .digest('hex');
}

const keys = { kind: 'file', passwords: 1 } as const;
const file = { name: 'Bench', profile: 'default', validDays: null, structure: 'roots', keys } as const;

async function certify(workshop: string, directory: string): Promise<void> {
  const now = new Date();
  const ca = join(workshop, 'ca');
  await createAuthority(ca, file, password(), now);
  const authority = await openAuthority(ca, now);
  const station = await openStation(directory);
  await trustAuthority(station.registry, authority.exchange, 'first');
  const { openStationKey } = await import('../src/station-key.ts');
  const { verifier } = await openStationKey(directory, 'st07', station.registry);
  await authority.ledger.transaction(async (sql) => {
    await insertStation(sql, { name: 'st07', verifier: verifier.line }, 'bench', now);
    await insertLease(sql, 'st07', parseLease('00000001-00FFFFFF'), 'bench', now);
  });
  await exportBatch(directory, station, join(workshop, 'out'), 'next');
  await answered(authority, join(workshop, 'out'), join(workshop, 'in'), {
    station: null,
    officer: 'bench',
    now,
  });
  await importBatch(station, join(workshop, 'in'));
  await station.registry.close();
  await authority.ledger.close();
}
