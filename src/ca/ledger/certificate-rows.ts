import { type DeviceId, deviceIdFromNumber, deviceIdToNumber } from '../../device.ts';
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

interface CertificateRow {
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

/** Makes the id, the key and the request known, if they are not. @throws LinesideError by the rule it breaks */
export async function insertDevice(sql: Statements, id: DeviceId, spki: string, csr: string): Promise<void> {
  const number = deviceIdToNumber(id);
  const known = 'SELECT id FROM device WHERE id = ? AND spki = ? AND csr = ?';
  if ((await sql.all(known, number, spki, csr)).length > 0) return;
  await ruled({ id, key: spki }, () =>
    sql.run('INSERT INTO device (id, spki, csr) VALUES (?, ?, ?)', number, spki, csr),
  );
}

/** @throws LinesideError by the rule it breaks */
export async function insertCertificate(sql: Statements, issued: IssuedCertificate): Promise<void> {
  const { serial, issuer, id, spkiSha256, csrSha256, der, station, officer, issuedAt } = issued;
  const insert = `INSERT INTO certificate (serial, issuer, device, spki, csr, der, station, officer, issued_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const device = id === null ? null : deviceIdToNumber(id);
  await ruled({ id: id ?? 'broker', key: spkiSha256 }, () =>
    sql.run(insert, serial, issuer, device, spkiSha256, csrSha256, der, station, officer, issuedAt),
  );
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

function toIssued({ device, spki, csr, der, issued_at, ...row }: CertificateRow): IssuedCertificate {
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

async function ruled(facts: Facts, change: () => Promise<number>): Promise<void> {
  try {
    await change();
  } catch (error) {
    const code: ErrorCode | undefined = rules.find((rule) => rule === brokenRule(error));
    throw code === undefined ? error : new LinesideError(code, facts, { cause: error });
  }
}
