import type { Connection } from '../../sqlite/connection.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { type CertificateRow, type IssuedCertificate, toIssued } from './certificate-rows.ts';

/** A device as the CA before this one knew it. */
export interface FleetDevice {
  /** SHA-256 of its request, as it was when it was certified. */
  readonly csrSha256: string;
  readonly request: Uint8Array;
  /** Its latest certificate. */
  readonly certificate: IssuedCertificate;
  readonly revoked: boolean;
}

const pageSize = 1000;

/** All devices that were ever certified, by id, in pages. */
export async function* fleetOf(ledger: Connection): AsyncGenerator<readonly FleetDevice[]> {
  const page = `SELECT device.csr AS request_sha256, device.request, certificate.*,
      EXISTS (SELECT 1 FROM revocation WHERE serial = certificate.serial) AS revoked
    FROM device JOIN certificate ON certificate.rowid = (SELECT rowid FROM certificate AS latest
      WHERE latest.device = device.id ORDER BY issued_at DESC, rowid DESC LIMIT 1)
    WHERE device.id > ? ORDER BY device.id LIMIT ${pageSize}`;
  type Fleet = CertificateRow & { request_sha256: string; request: Buffer; revoked: number };
  let rows = await ledger.query<Fleet>(page, 0);
  for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
    yield rows.map(({ request_sha256: csrSha256, request, revoked, ...certificate }) => ({
      csrSha256,
      request: new Uint8Array(request),
      certificate: toIssued(certificate),
      revoked: revoked === 1,
    }));
    rows = await ledger.query<Fleet>(page, last.device ?? 0);
  }
}

/** That these new certificates take the place of those, serial by serial. */
export async function insertReissues(
  sql: Statements,
  reissues: readonly (readonly [serial: string, replaces: string])[],
): Promise<void> {
  await sql.run(
    `INSERT INTO reissue (serial, replaces) SELECT value ->> 0, value ->> 1 FROM json_each(?)
     WHERE NOT EXISTS (SELECT 1 FROM reissue WHERE serial = value ->> 0 AND replaces = value ->> 1)`,
    JSON.stringify(reissues),
  );
}

/** A certificate in the place of another. */
export interface Reissued {
  readonly certificate: IssuedCertificate;
  readonly replaces: string;
}

/** Those that are not revoked, by device, in pages. */
export async function* reissuedOf(ledger: Connection): AsyncGenerator<readonly Reissued[]> {
  const page = `SELECT certificate.*, reissue.replaces FROM reissue JOIN certificate USING (serial)
    WHERE device > ? AND NOT EXISTS (SELECT 1 FROM revocation WHERE serial = certificate.serial)
    ORDER BY device LIMIT ${pageSize}`;
  let rows = await ledger.query<CertificateRow & { replaces: string }>(page, 0);
  for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
    yield rows.map(({ replaces, ...certificate }) => ({ replaces, certificate: toIssued(certificate) }));
    rows = await ledger.query(page, last.device ?? 0);
  }
}
