import { parseStation } from '../../src/config.ts';
import { createCsr } from '../../src/csr/request.ts';
import { type DeviceId, deviceIdFromNumber, parseLease } from '../../src/device.ts';
import { makeKeyPair } from '../../src/keygen/key-pair.ts';
import { spkiSha256 } from '../../src/public-key.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { SecretArena } from '../../src/secret.ts';
import { createStation, openStation } from '../../src/station-directory.ts';

/** A station st07 with this many verified units, made without a board: each has a real key and request. */
export async function stationWithUnits(directory: string, count: number): Promise<void> {
  await createStation(directory, parseStation('st07', 'nrf52840', []), parseLease('00000001-0000FFFF'));
  await addUnits(directory, count);
}

export async function addUnits(directory: string, count: number): Promise<void> {
  const { registry } = await openStation(directory);
  for (let made = 0; made < count; made += 1) await verify(registry, await registry.reserveNext());
  await registry.close();
}

async function verify(registry: Registry, id: DeviceId): Promise<void> {
  const pair = makeKeyPair(new SecretArena());
  const csr = await createCsr(id, pair.publicKey, pair.sign);
  const uid = `00000000${deviceIdFromNumber(Number.parseInt(id, 16))}`;
  await registry.advance(id, { to: 'keyed', csr, spkiSha256: spkiSha256(pair.publicKey) });
  await registry.advance(id, { to: 'flashing', uid, probe: 'a', firmwareSha256: null });
  await registry.advance(id, { to: 'flashed' });
  await registry.advance(id, { to: 'verified', proof: 'read-back', locked: false });
}
