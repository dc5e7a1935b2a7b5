import { type DeviceId, deviceIdToNumber, type UnitState } from '../../device.ts';
import { LinesideError } from '../../errors.ts';
import type { BatchFiles, BatchRecord, Credentials, Direction, NewBatch, NewCertificate } from '../batch.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { Statements } from '../../sqlite/statements.ts';

export interface BatchRow {
  readonly direction: Direction;
  readonly sequence: number;
  readonly manifest: Buffer;
  readonly sha256: string;
  readonly previous: string;
  readonly at: string;
  readonly written_at: string | null;
}

export function toBatchRecord({ written_at: writtenAt, manifest, ...row }: BatchRow): BatchRecord {
  return { ...row, manifest: new Uint8Array(manifest), writtenAt };
}

export const lastBatch = 'SELECT * FROM batch WHERE direction = ? ORDER BY sequence DESC LIMIT 1';
export const batchOf = 'SELECT * FROM batch WHERE direction = ? AND sequence = ?';

export async function insertBatch(
  sql: Statements,
  direction: Direction,
  { sequence, manifest, sha256, previous }: NewBatch,
  at: string,
): Promise<void> {
  const insert =
    'INSERT INTO batch (direction, sequence, manifest, sha256, previous, at) VALUES (?, ?, ?, ?, ?, ?)';
  await sql.run(insert, direction, sequence, manifest, sha256, previous, at);
}

/** @throws LinesideError `batch-unknown` for one that is not there or was written already */
export async function markWritten(sql: Statements, sequence: number, at: string): Promise<void> {
  const update = `UPDATE batch SET written_at = ?2
    WHERE direction = 'out' AND sequence = ?1 AND written_at IS NULL`;
  if ((await sql.run(update, sequence, at)) === 0) throw new LinesideError('batch-unknown', { sequence });
}

export async function insertFiles(
  sql: Statements,
  direction: Direction,
  sequence: number,
  files: BatchFiles,
): Promise<void> {
  const insert = 'INSERT INTO batch_file (direction, sequence, name, bytes) VALUES (?, ?, ?, ?)';
  for (const [name, bytes] of files) await sql.run(insert, direction, sequence, name, bytes);
}

export const filesOf =
  'SELECT name, bytes FROM batch_file WHERE direction = ? AND sequence = ? ORDER BY name';

export function toFiles(rows: readonly { readonly name: string; readonly bytes: Buffer }[]): BatchFiles {
  return new Map(rows.map(({ name, bytes }) => [name, new Uint8Array(bytes)]));
}

/**
 * False if the very same certificate is on record already.
 * @throws LinesideError `certificate-differs`, `serial-in-use`, `illegal-transition`, `unit-not-found`
 */
export async function insertCertificate(
  sql: Statements,
  { id, generation, der, serial }: NewCertificate,
  batch: number,
): Promise<boolean> {
  const unit = deviceIdToNumber(id);
  const same = 'SELECT 1 FROM certificate WHERE unit = ? AND generation = ? AND der = ?';
  if ((await sql.all(same, unit, generation, der)).length > 0) return false;
  const insert = 'INSERT INTO certificate (unit, generation, der, serial, batch) VALUES (?, ?, ?, ?, ?)';
  try {
    await sql.run(insert, unit, generation, der, serial, batch);
    return true;
  } catch (error) {
    throw await refusedCertificate(sql, error, id, generation);
  }
}

async function refusedCertificate(
  sql: Statements,
  cause: unknown,
  id: DeviceId,
  generation: number,
): Promise<unknown> {
  const rule = brokenRule(cause);
  if (rule === 'certificate-differs' || rule === 'serial-in-use')
    return new LinesideError(rule, { id, generation }, { cause });
  if (rule !== 'illegal-transition') return cause;
  const select = 'SELECT state FROM unit WHERE id = ?';
  const [unit] = await sql.all<{ state: UnitState }>(select, deviceIdToNumber(id));
  if (unit === undefined) return new LinesideError('unit-not-found', { id }, { cause });
  return new LinesideError(rule, { id, from: unit.state, to: 'certified' }, { cause });
}

interface CertificateRow {
  readonly generation: number;
  readonly der: Buffer;
  readonly name: string | null;
  readonly bytes: Buffer | null;
}

/** One row for each file that came with the newest certificate of a unit, one without a file if there was none. */
export const credentialRows = `SELECT newest.generation, newest.der, file.name, file.bytes
  FROM (SELECT * FROM certificate WHERE unit = ? ORDER BY generation DESC LIMIT 1) AS newest
  LEFT JOIN batch_file AS file ON file.direction = 'in' AND file.sequence = newest.batch ORDER BY file.name`;

export function toCredentials(rows: readonly CertificateRow[]): Credentials | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const files = rows.flatMap(({ name, bytes }) =>
    name === null || bytes === null ? [] : [[name, new Uint8Array(bytes)] as const],
  );
  return { generation: first.generation, certificate: new Uint8Array(first.der), files: new Map(files) };
}

/**
 * The first CA, or the one that follows the last.
 * @throws LinesideError `authority-differs` if this is the first and there is one, or if it was trusted before
 */
export async function insertAuthority(
  sql: Statements,
  verifier: string,
  as: 'first' | 'successor',
  at: string,
): Promise<void> {
  const place = as === 'first' ? '1' : '(SELECT coalesce(max(place), 0) + 1 FROM authority)';
  try {
    await sql.run(
      `INSERT INTO authority (place, verifier, trusted_at) VALUES (${place}, ?, ?)`,
      verifier,
      at,
    );
  } catch (error) {
    if (brokenRule(error) !== 'authority-differs') throw error;
    const [known] = await sql.all<{ verifier: string }>(trustedAuthority);
    throw new LinesideError('authority-differs', { known: known?.verifier ?? 'unknown' }, { cause: error });
  }
}

export const trustedAuthority = 'SELECT verifier FROM authority ORDER BY place DESC LIMIT 1';
