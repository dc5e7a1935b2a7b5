import type { DeviceId } from '../../device.ts';
import type { BatchFiles, NewBatch, NewCertificate } from '../batch.ts';
import { batchTaken, unitAdvanced, unitReissued } from '../event.ts';
import type { LogEvent } from '../log.ts';
import { insertBatch, insertCertificate, insertFiles } from './batch-rows.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { isCertified, updateUnit } from './unit-rows.ts';

type Taken = LogEvent & { readonly id?: DeviceId };

/** A batch for the CA with all its units. @throws LinesideError as `Registry.exportBatch` */
export async function takeOut(
  sql: Statements,
  batch: NewBatch,
  units: readonly DeviceId[],
  files: BatchFiles,
  at: string,
): Promise<Taken[]> {
  await insertBatch(sql, 'out', batch, at);
  await insertFiles(sql, 'out', batch.sequence, files);
  const events: Taken[] = [batchTaken('out', batch)];
  const step = { to: 'exported', batch: batch.sequence } as const;
  for (const id of units) events.push(unitAdvanced(id, await updateUnit(sql, id, step, at), step));
  return events;
}

/**
 * A batch of the CA with all its certificates; those on record already are passed over.
 * @throws LinesideError as `Registry.importBatch`
 */
export async function takeIn(
  sql: Statements,
  batch: NewBatch,
  certificates: readonly NewCertificate[],
  files: BatchFiles,
  at: string,
): Promise<Taken[]> {
  await insertBatch(sql, 'in', batch, at);
  await insertFiles(sql, 'in', batch.sequence, files);
  const events: Taken[] = [batchTaken('in', batch)];
  for (const certificate of certificates) {
    const { id, generation } = certificate;
    if (!(await insertCertificate(sql, certificate, batch.sequence))) continue;
    const step = { to: 'certified', batch: batch.sequence, certificate } as const;
    if (generation > 1 && (await isCertified(sql, id)))
      events.push(unitReissued(batch.sequence, certificate));
    else events.push(unitAdvanced(id, await updateUnit(sql, id, step, at), step));
  }
  return events;
}
