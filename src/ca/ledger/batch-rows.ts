import type { Connection } from '../../sqlite/connection.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { type CertificateRow, type IssuedCertificate, toIssued } from './certificate-rows.ts';

/** `in`: requests of a station. `out`: the CA's certificates for it. */
export type BatchDirection = 'in' | 'out';

export interface LedgerBatch {
  readonly station: string;
  readonly direction: BatchDirection;
  readonly sequence: number;
  readonly manifest: Uint8Array;
  readonly sha256: string;
  readonly previous: string;
  /** SHA-256 of the requests that these certificates answer. */
  readonly answers: string | null;
}

/** What of it the next one must follow, by this CA or the one before it. */
export async function lastPlace(
  sql: Statements,
  station: string,
  direction: BatchDirection,
): Promise<{ readonly sequence: number; readonly sha256: string } | undefined> {
  const [row] = await sql.all<{ sequence: number; sha256: string }>(
    `SELECT sequence, sha256 FROM batch WHERE station = ?1 AND direction = ?2
     UNION ALL SELECT sequence, sha256 FROM inherited WHERE station = ?1 AND direction = ?2
     ORDER BY sequence DESC LIMIT 1`,
    station,
    direction,
  );
  return row;
}

export async function insertBatch(
  sql: Statements,
  { station, direction, sequence, manifest, sha256, previous, answers }: LedgerBatch,
  officer: string,
  at: Date,
): Promise<void> {
  const columns = 'station, direction, sequence, manifest, sha256, previous, answers, officer, at';
  await sql.run(
    `INSERT INTO batch (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    station,
    direction,
    sequence,
    manifest,
    sha256,
    previous,
    answers,
    officer,
    at.toISOString(),
  );
}

const outgoing = `SELECT station, direction, sequence, manifest, sha256, previous, answers FROM batch
  WHERE direction = 'out'`;

/** What went out as the answer to these requests. */
export async function answerTo(sql: Statements, sha256: string): Promise<LedgerBatch | undefined> {
  return toBatch(await sql.all<BatchRow>(`${outgoing} AND answers = ?`, sha256));
}

/** The last that went to a station without being asked for. */
export async function lastUnasked(sql: Statements, station: string): Promise<LedgerBatch | undefined> {
  const select = `${outgoing} AND answers IS NULL AND station = ? ORDER BY sequence DESC LIMIT 1`;
  return toBatch(await sql.all<BatchRow>(select, station));
}

type BatchRow = Omit<LedgerBatch, 'manifest'> & { readonly manifest: Buffer };

function toBatch([row]: readonly BatchRow[]): LedgerBatch | undefined {
  return row && { ...row, manifest: new Uint8Array(row.manifest) };
}

type BatchPlace = Pick<LedgerBatch, 'station' | 'sequence'>;

/** The certificates of an outgoing batch, in this order. */
export async function insertBatchCertificates(
  sql: Statements,
  { station, sequence }: BatchPlace,
  serials: readonly string[],
): Promise<void> {
  const insert = `INSERT INTO batch_certificate (station, sequence, place, serial)
    SELECT ?1, ?2, ?3 + key, value FROM json_each(?4)`;
  for (let at = 0; at < serials.length; at += pageSize)
    await sql.run(insert, station, sequence, at + 1, JSON.stringify(serials.slice(at, at + pageSize)));
}

const pageSize = 1000;

/** The certificates of an answer in their order, in pages. */
export async function* batchCertificates(
  ledger: Connection,
  { station, sequence }: BatchPlace,
): AsyncGenerator<readonly IssuedCertificate[]> {
  const page = `SELECT certificate.* FROM batch_certificate JOIN certificate USING (serial)
    WHERE batch_certificate.station = ? AND sequence = ? AND place > ? ORDER BY place LIMIT ${pageSize}`;
  for (let done = 0; ; ) {
    const rows = await ledger.query<CertificateRow>(page, station, sequence, done);
    if (rows.length === 0) return;
    yield rows.map(toIssued);
    done += rows.length;
  }
}

/** What goes out with the certificates. */
export type BatchFile = 'chain.pem' | 'anchors.pem' | 'checkpoint';

export async function insertBatchFiles(
  sql: Statements,
  { station, sequence }: BatchPlace,
  files: ReadonlyMap<BatchFile, Uint8Array>,
): Promise<void> {
  const insert = 'INSERT INTO batch_file (station, sequence, name, bytes) VALUES (?, ?, ?, ?)';
  for (const [name, bytes] of files) await sql.run(insert, station, sequence, name, bytes);
}

export async function batchFiles(
  sql: Statements,
  { station, sequence }: BatchPlace,
): Promise<Map<BatchFile, Uint8Array>> {
  const rows = await sql.all<{ name: BatchFile; bytes: Buffer }>(
    'SELECT name, bytes FROM batch_file WHERE station = ? AND sequence = ? ORDER BY name',
    station,
    sequence,
  );
  return new Map(rows.map(({ name, bytes }) => [name, new Uint8Array(bytes)]));
}
