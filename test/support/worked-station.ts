import { createHash } from 'node:crypto';
import { parseStation } from '../../src/config.ts';
import { type DeviceId, parseLease } from '../../src/device.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createStation, openStation, type Station } from '../../src/station-directory.ts';
import { makeCheckpoint } from '../../src/station-log.ts';

export const file = parseStation('st07', 'nrf52840', []);
export const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const vkey = 'acme-ca+173116ae+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

export async function using<T>(directory: string, work: (station: Station) => Promise<T>): Promise<T> {
  const station = await openStation(directory);
  try {
    return await work(station);
  } finally {
    await station.registry.close();
  }
}

/**
 * Makes a station with a log of `size` entries or a few more, in which everything happens that can. Its requests and
 * certificates are only bytes: what is in them, neither registry nor log look at.
 */
export async function workedStation(directory: string, size: number): Promise<void> {
  await createStation(directory, file, parseLease('00000001-0000FFFF'));
  await using(directory, async ({ registry }) => {
    await registry.trust(vkey, sha(vkey), 'first');
    await registry.record({ ev: 'board.recover', probe: 'a' });
    await registry.record({ ev: 'board.recovered', probe: 'a', uid: '0011223344556677' });
    for (let batch = 1; (await registry.logPosition()).size < size; batch++) {
      const units: DeviceId[] = [];
      for (let made = 0; made < 6; made++) units.push(await verifiedUnit(registry));
      const dropped = units.pop();
      if (dropped) await registry.advance(dropped, { to: 'void', reason: 'dropped, "twice"' });
      await takeThrough(registry, batch, units);
      await makeCheckpoint(directory, file, registry);
    }
  });
}

/** A new unit that has a key and passed. */
export async function verifiedUnit(registry: Registry): Promise<DeviceId> {
  const id = await registry.reserveNext();
  const csr = Buffer.from(`request ${id}`);
  await registry.advance(id, { to: 'keyed', csr, spkiSha256: sha(`key ${id}`) });
  await registry.advance(id, {
    to: 'flashing',
    uid: `7E23D160${id}`,
    probe: 'a',
    firmwareSha256: sha('firmware'),
  });
  await registry.advance(id, { to: 'flashed' });
  await registry.advance(id, { to: 'verified', proof: 'read-back', locked: true });
  return id;
}

/** Out to the CA, back with certificates, and onto their boards. */
async function takeThrough(registry: Registry, sequence: number, units: readonly DeviceId[]): Promise<void> {
  const batch = (way: string, previous: string) => {
    const manifest = Buffer.from(`${way} ${sequence}`);
    return { sequence, manifest, sha256: sha(`${way} ${sequence}`), previous };
  };
  const before = (way: string) => (sequence === 1 ? '0'.repeat(64) : sha(`${way} ${sequence - 1}`));
  await registry.exportBatch(batch('out', before('out')), units, new Map());
  await registry.batchWritten(sequence);
  const certificates = units.map((id) => ({
    id,
    generation: 1,
    der: Buffer.from(`certificate ${id}`),
    serial: id,
  }));
  await registry.importBatch(batch('in', before('in')), certificates, new Map());
  for (const id of units.slice(1))
    await registry.advance(id, { to: 'installed', generation: 1, locked: false });
}
