import { type DeviceId, deviceIdFromNumber, deviceIdToNumber, type Lease } from '../../device.ts';
import { type ErrorCode, type Facts, LinesideError } from '../../errors.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { Statements } from '../../sqlite/statements.ts';

/** Which of the two CAs of a directory. */
export type IssuerRole = 'device' | 'broker';

/** A certificate as the ledger keeps it. */
export interface IssuedCertificate {
  /** 32 lower-case hex digits. */
  readonly serial: string;
  readonly issuer: IssuerRole;
  /** Null for a broker. */
  readonly id: DeviceId | null;
  readonly spkiSha256: string;
  /** Of the request; null for a broker whose key was made by the CA. */
  readonly csrSha256: string | null;
  readonly der: Uint8Array;
  /** Where the request came from; null if it was handed in by itself. */
  readonly station: string | null;
  readonly officer: string;
  readonly issuedAt: string;
}

export interface CertificateRow {
  readonly serial: string;
  readonly issuer: IssuerRole;
  readonly device: number | null;
  readonly spki: string;
  readonly csr: string | null;
  readonly der: Buffer;
  readonly station: string | null;
  readonly officer: string;
  readonly issued_at: string;
}

/** What the CA knows of a device from its request. */
export interface RequestFacts {
  readonly id: DeviceId;
  readonly spkiSha256: string;
  /** SHA-256 of the request. */
  readonly sha256: string;
  /** The request, PKCS#10 DER. */
  readonly der: Uint8Array;
}

/** So many rows go into one statement; a statement for each row would take longer than to sign it. */
const rowsAtOnce = 500;

/**
 * Makes each id, key and request known that is not; none of them twice in `requests`.
 * @throws LinesideError by the rule one of them breaks
 */
export async function insertDevices(sql: Statements, requests: readonly RequestFacts[]): Promise<void> {
  const insert = `INSERT INTO device (id, spki, csr, request)
    SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3) FROM json_each(?)
    WHERE NOT EXISTS (SELECT 1 FROM device WHERE id = value ->> 0 AND spki = value ->> 1 AND csr = value ->> 2)`;
  const row = ({ id, spkiSha256, sha256, der }: RequestFacts) => [
    deviceIdToNumber(id),
    spkiSha256,
    sha256,
    Buffer.from(der).toString('hex'),
  ];
  await inChunks(requests, async (some) => {
    const facts = ({ id, spkiSha256 }: RequestFacts) => ({ id, key: spkiSha256 });
    await ruled(some, facts, (each) => sql.run(insert, JSON.stringify(each.map(row))));
  });
}

/** How many devices of this range the ledger knows. */
export async function countDevices(sql: Statements, { first, last }: Lease): Promise<number> {
  const range = [deviceIdToNumber(first), deviceIdToNumber(last)];
  const select = 'SELECT count(*) AS count FROM device WHERE id BETWEEN ? AND ?';
  const [row] = await sql.all<{ count: number }>(select, ...range);
  return row?.count ?? 0;
}

/** @throws LinesideError by the rule one of them breaks */
export async function insertCertificates(
  sql: Statements,
  issued: readonly IssuedCertificate[],
): Promise<void> {
  const columns = 'serial, issuer, device, spki, csr, der, station, officer, issued_at';
  const values = [0, 1, 2, 3, 4].map((at) => `value ->> ${at}`).join(', ');
  const insert = `INSERT INTO certificate (${columns})
    SELECT ${values}, unhex(value ->> 5), value ->> 6, value ->> 7, value ->> 8 FROM json_each(?)`;
  await inChunks(issued, async (some) => {
    const facts = ({ id, spkiSha256 }: IssuedCertificate) => ({ id: id ?? 'broker', key: spkiSha256 });
    await ruled(some, facts, (each) => sql.run(insert, JSON.stringify(each.map(certificateRow))));
  });
}

function certificateRow(issued: IssuedCertificate): (string | number | null)[] {
  const { serial, issuer, id, spkiSha256, csrSha256, der, station, officer, issuedAt } = issued;
  const device = id === null ? null : deviceIdToNumber(id);
  const hex = Buffer.from(der).toString('hex');
  return [serial, issuer, device, spkiSha256, csrSha256, hex, station, officer, issuedAt];
}

/** The latest certificate of each of these devices that has one, and whether it is revoked. */
export async function latestOfDevices(
  sql: Statements,
  ids: readonly DeviceId[],
): Promise<Map<DeviceId, { readonly issued: IssuedCertificate; readonly revoked: boolean }>> {
  const latest = new Map<DeviceId, { issued: IssuedCertificate; revoked: boolean }>();
  await inChunks(ids, async (some) => {
    const rows = await sql.all<CertificateRow & { revoked: number }>(
      `SELECT certificate.*, revocation.serial IS NOT NULL AS revoked FROM certificate
       LEFT JOIN revocation USING (serial) WHERE device IN (SELECT value FROM json_each(?))
       ORDER BY issued_at, certificate.rowid`,
      JSON.stringify(some.map(deviceIdToNumber)),
    );
    for (const { revoked, ...row } of rows) {
      const issued = toIssued(row);
      if (issued.id !== null) latest.set(issued.id, { issued, revoked: revoked === 1 });
    }
  });
  return latest;
}

/** The certificates of this device, the latest first. */
export async function certificatesOfDevice(sql: Statements, id: DeviceId): Promise<IssuedCertificate[]> {
  const rows = await sql.all<CertificateRow>(
    'SELECT * FROM certificate WHERE device = ? ORDER BY issued_at DESC, rowid DESC',
    deviceIdToNumber(id),
  );
  return rows.map(toIssued);
}

export async function certificateBySerial(
  sql: Statements,
  serial: string,
): Promise<IssuedCertificate | undefined> {
  const [row] = await sql.all<CertificateRow>('SELECT * FROM certificate WHERE serial = ?', serial);
  return row && toIssued(row);
}

export function toIssued({ device, spki, csr, der, issued_at, ...row }: CertificateRow): IssuedCertificate {
  return {
    ...row,
    id: device === null ? null : deviceIdFromNumber(device),
    spkiSha256: spki,
    csrSha256: csr,
    der: new Uint8Array(der),
    issuedAt: issued_at,
  };
}

const rules = ['id-has-other-key', 'key-has-other-id', 'key-has-other-role', 'request-changed'] as const;

async function inChunks<Row>(
  rows: readonly Row[],
  work: (some: readonly Row[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) await work(rows.slice(at, at + rowsAtOnce));
}

/** All at once; if that breaks a rule, one after the other, to tell which of them does. */
async function ruled<Row>(
  rows: readonly Row[],
  facts: (row: Row) => Facts,
  change: (rows: readonly Row[]) => Promise<number>,
): Promise<void> {
  try {
    await change(rows);
  } catch (error) {
    const [row, ...others] = rows;
    const code: ErrorCode | undefined = rules.find((rule) => rule === brokenRule(error));
    if (code === undefined || row === undefined) throw error;
    if (others.length === 0) throw new LinesideError(code, facts(row), { cause: error });
    for (const each of rows) await ruled([each], facts, change);
  }
}
