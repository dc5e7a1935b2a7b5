import { composeManifest, hashOf, type Payload } from './batch/manifest.ts';
import { noBatch } from './batch/place.ts';
import { writeBatch } from './batch/write.ts';
import type { DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { formatPem } from './pem.ts';
import type { NewBatch } from './registry/batch.ts';
import type { Registry, UnitRecord } from './registry/registry.ts';
import type { Station } from './station-directory.ts';
import { openStationKey } from './station-key.ts';
import { trustedAuthority } from './trusted-authority.ts';
import { keyName } from './verifier-file.ts';

/** As many requests as fit well into the 256 MiB of a batch; what is over goes with the next one. */
const maximumUnits = 100_000;

export interface Exported {
  readonly sequence: number;
  /** SHA-256 of the manifest. */
  readonly sha256: string;
  readonly units: readonly DeviceId[];
}

/**
 * Writes the next batch for the CA, or one of before again. The registry learns of a batch first, with the bytes of its
 * manifest: if power fails after that, or the stick is full, the next call writes that very batch, and no other
 * is made before it is written.
 * @throws LinesideError `authority-missing`, `nothing-to-export`, `batch-unknown`, and those of `writeBatch`
 */
export async function exportBatch(
  directory: string,
  { file, registry }: Station,
  target: string,
  which: number | 'next',
): Promise<Exported> {
  const authority = keyName(await trustedAuthority(registry));
  const signer = await openStationKey(directory, file.name, registry);
  const batch = await batchToWrite(registry, file.name, authority, which);
  const units = await collect(registry.units({ batch: batch.sequence }));
  await writeBatch(target, batch.manifest, payloadOf(units), signer);
  const written = await registry.findBatch('out', batch.sequence);
  if (written?.writtenAt === null) await registry.batchWritten(batch.sequence);
  return { sequence: batch.sequence, sha256: batch.sha256, units: units.map(({ id }) => id) };
}

async function batchToWrite(
  registry: Registry,
  station: string,
  authority: string,
  which: number | 'next',
): Promise<NewBatch> {
  if (which !== 'next') {
    const asked = await registry.findBatch('out', which);
    if (asked === undefined) throw new LinesideError('batch-unknown', { sequence: which });
    return asked;
  }
  const last = await registry.lastBatch('out');
  return last?.writtenAt === null ? last : makeBatch(registry, station, authority);
}

async function makeBatch(registry: Registry, station: string, authority: string): Promise<NewBatch> {
  const units = await collect(registry.units({ states: ['verified'] }));
  if (units.length === 0) throw new LinesideError('nothing-to-export');
  const last = await registry.lastBatch('out');
  const place = { sequence: (last?.sequence ?? 0) + 1, previous: last?.sha256 ?? noBatch };
  const log = await registry.logPosition();
  const header = { kind: 'requests', station, authority, ...place, log } as const;
  const manifest = composeManifest(header, payloadOf(units));
  const batch = { ...place, manifest, sha256: hashOf(manifest) };
  await registry.exportBatch(
    batch,
    units.map(({ id }) => id),
  );
  return batch;
}

/** In the order of the ids, so the same units are the same bytes at any time. */
function payloadOf(units: readonly UnitRecord[]): Payload {
  const requests = units.map(({ csr }) => formatPem('CERTIFICATE REQUEST', csr ?? new Uint8Array()));
  return new Map([['requests.pem', Buffer.from(requests.join(''))]]);
}

async function collect(units: AsyncIterable<UnitRecord>): Promise<UnitRecord[]> {
  const all: UnitRecord[] = [];
  for await (const unit of units) {
    if (all.length === maximumUnits) break;
    all.push(unit);
  }
  return all;
}
