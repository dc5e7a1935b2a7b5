import { composeManifest, type Contents, hashOf } from './batch/manifest.ts';
import { noBatch } from './batch/place.ts';
import { writeBatch } from './batch/write.ts';
import type { DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { formatPem } from './pem.ts';
import { parseCheckpoint } from './log/checkpoint.ts';
import { noteText } from './note.ts';
import type { BatchFiles, NewBatch } from './registry/batch.ts';
import type { UnitRecord } from './registry/registry.ts';
import type { Station } from './station-directory.ts';
import { openStationKey } from './station-key.ts';
import { consistencyProof, makeCheckpoint } from './station-log.ts';
import { trustedAuthority } from './trusted-authority.ts';
import { keyName } from './verifier-file.ts';
import { formatConsistency } from './witness.ts';

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
  const batch = await batchToWrite(directory, { file, registry }, authority, which);
  const units = await collect(registry.units({ batch: batch.sequence }));
  const contents = contentsOf(units, await registry.batchFiles('out', batch.sequence));
  await writeBatch(target, batch.manifest, contents, signer);
  const written = await registry.findBatch('out', batch.sequence);
  if (written?.writtenAt === null) await registry.batchWritten(batch.sequence);
  return { sequence: batch.sequence, sha256: batch.sha256, units: units.map(({ id }) => id) };
}

async function batchToWrite(
  directory: string,
  station: Station,
  authority: string,
  which: number | 'next',
): Promise<NewBatch> {
  const { registry } = station;
  if (which !== 'next') {
    const asked = await registry.findBatch('out', which);
    if (asked === undefined) throw new LinesideError('batch-unknown', { sequence: which });
    return asked;
  }
  const last = await registry.lastBatch('out');
  return last?.writtenAt === null ? last : makeBatch(directory, station, authority);
}

/** The log is sealed and signed first: what the batch shows of it says that these units are verified. */
async function makeBatch(
  directory: string,
  { file, registry }: Station,
  authority: string,
): Promise<NewBatch> {
  const units = await collect(registry.units({ states: ['verified'] }));
  if (units.length === 0) throw new LinesideError('nothing-to-export');
  const last = await registry.lastBatch('out');
  const place = { sequence: (last?.sequence ?? 0) + 1, previous: last?.sha256 ?? noBatch };
  const files = await logFiles(directory, { file, registry }, last?.sequence);
  const header = { kind: 'requests', station: file.name, authority, ...place } as const;
  const manifest = composeManifest(header, contentsOf(units, files));
  const batch = { ...place, manifest, sha256: hashOf(manifest) };
  await registry.exportBatch(
    batch,
    units.map(({ id }) => id),
    files,
  );
  return batch;
}

/** How far the log has come, and the proof that it begins with what the batch before has shown of it. */
async function logFiles(
  directory: string,
  { file, registry }: Station,
  before: number | undefined,
): Promise<BatchFiles> {
  const { note, size } = await makeCheckpoint(directory, file, registry);
  const shown =
    before === undefined ? undefined : (await registry.batchFiles('out', before)).get('checkpoint');
  const from = shown === undefined ? 0 : parseCheckpoint(noteText(shown)).size;
  const proof = await consistencyProof(registry, from, size);
  return new Map([
    ['checkpoint', Buffer.from(note)],
    ['consistency', formatConsistency(proof)],
  ]);
}

/** In the order of the ids, so the same units are the same bytes at any time. */
function contentsOf(units: readonly UnitRecord[], files: BatchFiles): Contents {
  const requests = units.map(({ csr }) => formatPem('CERTIFICATE REQUEST', csr ?? new Uint8Array()));
  const [checkpoint, consistency] = [files.get('checkpoint'), files.get('consistency')];
  return new Map([
    ['requests.pem', Buffer.from(requests.join(''))],
    ['checkpoint', checkpoint ?? Buffer.alloc(0)],
    ['consistency', consistency ?? Buffer.alloc(0)],
  ]);
}

async function collect(units: AsyncIterable<UnitRecord>): Promise<UnitRecord[]> {
  const all: UnitRecord[] = [];
  for await (const unit of units) {
    if (all.length === maximumUnits) break;
    all.push(unit);
  }
  return all;
}
