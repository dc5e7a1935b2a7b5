import { type DeviceId, deviceIdFromNumber } from '../../device.ts';
import type { Statements } from '../../sqlite/statements.ts';
import { readCertificate } from '../../certificate-fields.ts';

/** A device that has a certificate which a broker takes now. */
export interface LiveDevice {
  readonly id: DeviceId;
  readonly spkiSha256: string;
  /** Whose batch its request came with; null if it was handed in by itself. */
  readonly station: string | null;
}

interface Row {
  readonly device: number;
  readonly serial: string;
  readonly spki: string;
  readonly station: string | null;
  readonly der: Buffer;
}

/**
 * Every device with at least one certificate that is neither on the list nor over, by id.
 * @param revoked serial numbers, lower-case hex
 */
export async function liveDevices(
  sql: Statements,
  revoked: ReadonlySet<string>,
  now: Date,
): Promise<LiveDevice[]> {
  const rows = await sql.all<Row>(
    "SELECT device, serial, spki, station, der FROM certificate WHERE issuer = 'device' ORDER BY device, station",
  );
  const live = new Map<number, LiveDevice>();
  for (const { device, serial, spki, station, der } of rows)
    if (!revoked.has(serial) && readCertificate(der).notAfter > now)
      live.set(device, { id: deviceIdFromNumber(device), spkiSha256: spki, station });
  return [...live.values()];
}

/** SHA-256 of every key whose certificate was revoked because others may know it. */
export async function compromisedKeys(sql: Statements): Promise<string[]> {
  const rows = await sql.all<{ spki: string }>(
    `SELECT DISTINCT spki FROM revocation JOIN certificate USING (serial)
     WHERE issuer = 'device' AND reason = 'keyCompromise'`,
  );
  return rows.map(({ spki }) => spki);
}
