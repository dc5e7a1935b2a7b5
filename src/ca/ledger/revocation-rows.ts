import { LinesideError } from '../../errors.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { Statements } from '../../sqlite/statements.ts';
import type { CrlPeriod, Revocation, RevocationReason } from '../crl.ts';
import type { IssuerRole } from './certificate-rows.ts';

/** @throws LinesideError `already-revoked` */
export async function insertRevocation(
  sql: Statements,
  serial: string,
  reason: RevocationReason,
  officer: string,
  at: Date,
): Promise<void> {
  const insert = 'INSERT INTO revocation (serial, reason, officer, revoked_at) VALUES (?, ?, ?, ?)';
  try {
    await sql.run(insert, serial, reason, officer, at.toISOString());
  } catch (error) {
    if (brokenRule(error) !== 'already-revoked') throw error;
    throw new LinesideError('already-revoked', { serial }, { cause: error });
  }
}

export async function isRevoked(sql: Statements, serial: string): Promise<boolean> {
  return (await sql.all('SELECT 1 FROM revocation WHERE serial = ?', serial)).length > 0;
}

interface RevocationRow {
  readonly serial: string;
  readonly reason: RevocationReason;
  readonly revoked_at: string;
}

/** Everything this CA ever revoked, in the order it was done. */
export async function revocationsOf(sql: Statements, issuer: IssuerRole): Promise<Revocation[]> {
  const rows = await sql.all<RevocationRow>(
    `SELECT serial, reason, revoked_at FROM revocation JOIN certificate USING (serial)
     WHERE issuer = ? ORDER BY revoked_at, serial`,
    issuer,
  );
  return rows.map(({ serial, reason, revoked_at }) => ({
    serial: Buffer.from(serial, 'hex'),
    reason,
    at: new Date(revoked_at),
  }));
}

export async function nextCrlNumber(sql: Statements, issuer: IssuerRole): Promise<number> {
  const [row] = await sql.all<{ next: number }>(
    'SELECT coalesce(max(number) + 1, 1) AS next FROM crl WHERE issuer = ?',
    issuer,
  );
  return row?.next ?? 1;
}

export async function insertCrl(
  sql: Statements,
  issuer: IssuerRole,
  number: number,
  { thisUpdate, nextUpdate }: CrlPeriod,
  sha256: string,
  officer: string,
): Promise<void> {
  await sql.run(
    'INSERT INTO crl (issuer, number, this_update, next_update, sha256, officer) VALUES (?, ?, ?, ?, ?, ?)',
    issuer,
    number,
    thisUpdate.toISOString(),
    nextUpdate.toISOString(),
    sha256,
    officer,
  );
}
