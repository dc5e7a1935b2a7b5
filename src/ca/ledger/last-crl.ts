import type { Statements } from '../../sqlite/statements.ts';
import type { IssuerRole } from './certificate-rows.ts';

/** By what a CRL is known again. */
export interface CrlMark {
  readonly number: number;
  readonly sha256: string;
}

/** The last CRL this CA signed; undefined if it has signed none. */
export async function lastCrl(sql: Statements, issuer: IssuerRole): Promise<CrlMark | undefined> {
  const [row] = await sql.all<CrlMark>(
    'SELECT number, sha256 FROM crl WHERE issuer = ? ORDER BY number DESC LIMIT 1',
    issuer,
  );
  return row;
}
