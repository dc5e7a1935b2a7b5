import type { Statements } from '../../sqlite/statements.ts';
import type { IssuerRole } from './certificate-rows.ts';

/** What a CA has done so far. */
export interface Tally {
  readonly issuer: IssuerRole;
  readonly issued: number;
  readonly revoked: number;
  /** 0 if there was none yet. */
  readonly crlNumber: number;
  readonly crlNextUpdate: string | null;
}

export async function tallyOf(sql: Statements, issuer: IssuerRole): Promise<Tally> {
  const [row] = await sql.all<Omit<Tally, 'issuer'>>(
    `SELECT (SELECT count(*) FROM certificate WHERE issuer = ?1) AS issued,
       (SELECT count(*) FROM revocation JOIN certificate USING (serial) WHERE issuer = ?1) AS revoked,
       (SELECT coalesce(max(number), 0) FROM crl WHERE issuer = ?1) AS crlNumber,
       (SELECT max(next_update) FROM crl WHERE issuer = ?1) AS crlNextUpdate`,
    issuer,
  );
  return { issuer, ...(row ?? { issued: 0, revoked: 0, crlNumber: 0, crlNextUpdate: null }) };
}

/** When the CA last did anything, by its own clock; null if it never did. */
export async function lastAct(sql: Statements): Promise<Date | null> {
  const [row] = await sql.all<{ last: string | null }>(
    `SELECT max(at) AS last FROM (SELECT max(issued_at) AS at FROM certificate WHERE issuer = 'device'
     UNION ALL SELECT max(issued_at) FROM certificate WHERE issuer = 'broker'
     UNION ALL SELECT max(revoked_at) FROM revocation UNION ALL SELECT max(this_update) FROM crl)`,
  );
  return row?.last ? new Date(row.last) : null;
}
