import { createHash } from 'node:crypto';
import type { OpenAuthority } from './authority-directory.ts';
import type { Authority } from './ca/authority.ts';
import { crlTbs, type CrlPeriod, type RevocationReason } from './ca/crl.ts';
import {
  certificateBySerial,
  certificatesOfDevice,
  insertCertificates,
  type IssuedCertificate,
  type IssuerRole,
} from './ca/ledger/certificate-rows.ts';
import {
  insertCrl,
  insertRevocation,
  isRevoked,
  nextCrlNumber,
  revocationsOf,
} from './ca/ledger/revocation-rows.ts';
import type { Name } from './ca/name.ts';
import { brokerTbs } from './ca/profile.ts';
import { randomSerial } from './ca/serial.ts';
import { signed } from './ca/signed.ts';
import { daysAfter, validityFrom } from './ca/validity.ts';
import { parseDeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { issuedBy, type Provenance } from './issue-devices.ts';
import { spkiSha256 } from './public-key.ts';
import type { Statements } from './sqlite/statements.ts';

/*
 * What the CA does beside certifying devices: brokers, revocations, CRLs. What is signed is on record, durably, before anybody gets it. If power fails
 * before the commit, a signature was made that nobody has seen.
 */

/** What a broker's certificate is to say. */
export interface BrokerOrder {
  /** Uncompressed point. */
  readonly publicKey: Uint8Array;
  /** Of its request; null if there was none. */
  readonly csrSha256: string | null;
  readonly dns: readonly string[];
  readonly days: number;
}

/** @throws LinesideError `key-has-other-role`, `ledger-…` */
export async function issueBrokerCertificate(
  { ledger }: OpenAuthority,
  signing: Authority,
  { publicKey, csrSha256, dns, days }: BrokerOrder,
  by: Provenance,
): Promise<IssuedCertificate> {
  const spki = spkiSha256(publicKey);
  const name: Name = [['commonName', `broker ${spki.slice(0, 16)}`]]; // one name for one key, RFC 5280 4.1.2.6
  const subject = { serial: randomSerial(), validity: validityFrom(by.now, days), publicKey };
  const der = await signed(brokerTbs(signing.issuer, subject, name, dns), signing.signer);
  const about = { issuer: 'broker', id: null, spkiSha256: spki, csrSha256, der } as const;
  const issued = { ...about, ...issuedBy(subject.serial, by) };
  await ledger.transaction((sql) => insertCertificates(sql, [issued]));
  return issued;
}

/**
 * Revokes all certificates of a device, or the one with this serial number. It shows in the next CRL.
 * @returns their serial numbers
 * @throws LinesideError `certificate-not-found`, `already-revoked`, `ledger-…`
 */
export async function revoke(
  { ledger }: OpenAuthority,
  subject: string,
  reason: RevocationReason,
  by: Provenance,
): Promise<string[]> {
  return ledger.transaction(async (sql) => {
    const found = await certificatesNamed(sql, subject);
    const [first] = found;
    if (!first) throw new LinesideError('certificate-not-found', { subject });
    const revoked: string[] = [];
    for (const { serial } of found) if (!(await isRevoked(sql, serial))) revoked.push(serial);
    if (revoked.length === 0) throw new LinesideError('already-revoked', { serial: first.serial });
    for (const serial of revoked) await insertRevocation(sql, serial, reason, by.officer, by.now);
    return revoked;
  });
}

async function certificatesNamed(sql: Statements, subject: string): Promise<IssuedCertificate[]> {
  if (!/^[0-9a-fA-F]{32}$/.test(subject)) return certificatesOfDevice(sql, parseDeviceId(subject));
  const one = await certificateBySerial(sql, subject.toLowerCase());
  return one ? [one] : [];
}

export interface IssuedCrl {
  readonly number: number;
  readonly period: CrlPeriod;
  readonly entries: number;
  readonly der: Uint8Array;
}

/** The next CRL of one of the two CAs. @throws LinesideError `ledger-…` */
export async function issueCrl(
  { ledger }: OpenAuthority,
  signing: Authority,
  role: IssuerRole,
  days: number,
  by: Provenance,
): Promise<IssuedCrl> {
  const period = { thisUpdate: by.now, nextUpdate: daysAfter(by.now, days) };
  return ledger.transaction(async (sql) => {
    const number = await nextCrlNumber(sql, role);
    const revocations = await revocationsOf(sql, role);
    const der = await signed(crlTbs(signing.issuer, number, period, revocations), signing.signer);
    const sha256 = createHash('sha256').update(der).digest('hex');
    await insertCrl(sql, role, number, period, sha256, by.officer);
    return { number, period, entries: revocations.length, der };
  });
}
