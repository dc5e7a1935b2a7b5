import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatStationFile, parseStation } from '../../src/config.ts';
import { createCsr } from '../../src/csr/request.ts';
import { type DeviceId, parseLease } from '../../src/device.ts';
import { makeKeyPair } from '../../src/keygen/key-pair.ts';
import { logWriter } from '../../src/log/writer.ts';
import { fingerprint } from '../../src/note.ts';
import { spkiSha256 } from '../../src/public-key.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createRegistry } from '../../src/registry/sqlite.ts';
import { SecretArena } from '../../src/secret.ts';
import { createStationKey } from '../../src/station-key.ts';
import { mustFitHead } from '../../src/station-log.ts';
import { readVerifierFile } from '../../src/verifier-file.ts';
import { lineside, records } from '../support/program.ts';

/*
 * A station that worked for some days: a registry and log that are written as the line writes them, but by a clock
 * that the test moves, and batches that went to a CA and came back.
 */

/** How a unit of the shift ends; a `reason` makes it void after `after`. */
export type End =
  | { readonly kind: 'good' }
  | {
      readonly kind: 'void';
      readonly after: 'reserved' | 'keyed' | 'flashing' | 'verified';
      readonly reason: string;
    }
  | { readonly kind: 'in doubt'; readonly after: 'reserved' | 'flashing' | 'flashed' };

export interface Shift {
  readonly directory: string;
  /** Makes one unit that begins at this time and takes that many seconds. */
  make(at: Date, seconds: number, probe: string, end: End): Promise<DeviceId>;
  close(): Promise<void>;
}

const boot = 'f6b1c2d3-0000-4000-8000-000000000001';
const firmware = randomBytes(32).toString('hex');

/** A new station st07; the time of its first leaf is `start`. */
export async function shift(directory: string, start: Date): Promise<Shift> {
  let now = start;
  const clock = () => now;
  const seconds = () => (now.getTime() - start.getTime()) / 1000 + 60;
  const writer = logWriter({ station: 'st07', sw: '0.1.0', boot: { id: boot, seconds } });
  await mkdir(directory, { mode: 0o700 });
  const station = parseStation('st07', 'nrf52840', []);
  await writeFile(join(directory, 'station.json'), formatStationFile(station), { mode: 0o600 });
  const registry = await createRegistry(join(directory, 'registry.db'), writer, clock);
  await registry.record({ ev: 'station.init', chip: 'nrf52840' });
  await registry.addLease(parseLease('ABCD1000-ABCD10FF'));
  await createStationKey(directory, 'st07', registry);
  await mustFitHead(directory, station, registry);
  return {
    directory,
    make: (at, length, probe, end) => {
      now = at;
      return makeUnit(registry, probe, end, () => {
        now = new Date(at.getTime() + length * 1000);
      });
    },
    close: () => registry.close(),
  };
}

async function makeUnit(registry: Registry, probe: string, end: End, wait: () => void): Promise<DeviceId> {
  const id = await registry.reserveNext();
  const stops = (state: string) => end.kind !== 'good' && end.after === state;
  const finish = async () => {
    wait();
    if (end.kind === 'void') await registry.advance(id, { to: 'void', reason: end.reason });
    return id;
  };
  if (stops('reserved')) return finish();
  const pair = makeKeyPair(new SecretArena());
  const csr = await createCsr(id, pair.publicKey, pair.sign);
  await registry.advance(id, { to: 'keyed', csr, spkiSha256: spkiSha256(pair.publicKey) });
  if (stops('keyed')) return finish();
  const uid = randomBytes(8).toString('hex').toUpperCase();
  await registry.advance(id, { to: 'flashing', uid, probe, firmwareSha256: firmware });
  if (stops('flashing')) return finish();
  wait();
  await registry.advance(id, { to: 'flashed' });
  if (stops('flashed')) return id;
  await registry.advance(id, { to: 'verified', proof: 'read-back', locked: true });
  return finish();
}

/** Sends what is verified to a new CA and takes its answer, all by the built program. */
export async function certify(workshop: string, station: string): Promise<void> {
  const at = (name: string) => join(workshop, name);
  const password = ['--password-file', at('password')];
  await writeFile(at('password'), 'correct horse battery staple\n');
  await run('ca', '--ca', at('ca'), 'init', at('ca'), '--name', 'Acme', ...password);
  await exchange(workshop, station);
  await run('ca', '--ca', at('ca'), 'lease', 'st07', 'ABCD1000-ABCD10FF', '--out', at('lease'), ...password);
  await run('--station', station, 'export', at('out'));
  await run('ca', '--ca', at('ca'), 'sign', at('out'), '--out', at('in'), ...password);
  await run('--station', station, 'import', at('in'));
}

/** Each trusts the other's key. */
async function exchange(workshop: string, station: string): Promise<void> {
  const ca = join(workshop, 'ca');
  const [stationKey, caKey] = [
    await readVerifierFile(station, 'station.vkey'),
    await readVerifierFile(ca, 'exchange.vkey'),
  ];
  await run(
    'ca',
    '--ca',
    ca,
    'trust',
    join(station, 'station.vkey'),
    '--fingerprint',
    fingerprint(stationKey),
  );
  await run('--station', station, 'trust', ca, '--fingerprint', fingerprint(caKey));
}

async function run(...args: string[]): Promise<Record<string, unknown>[]> {
  const ended = await lineside(['--json', ...args]);
  if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.stderr}`);
  return records(ended.stdout);
}
