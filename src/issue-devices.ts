import type { OpenAuthority } from './authority-directory.ts';
import type { AuthorityFile } from './authority-file.ts';
import type { Authority } from './ca/authority.ts';
import { type DeviceTemplate, fillDeviceTemplate, makeDeviceTemplate } from './ca/device-template.ts';
import {
  insertCertificates,
  insertDevices,
  type IssuedCertificate,
  latestOfDevices,
} from './ca/ledger/certificate-rows.ts';
import { randomSerial } from './ca/serial.ts';
import { signed } from './ca/signed.ts';
import { validityFrom } from './ca/validity.ts';
import { type VerifiedCsr, verifyCsr } from './csr/verify.ts';
import type { DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import type { Statements } from './sqlite/statements.ts';

/*
 * Certificates for devices. What is signed is on record, durably, before anybody gets it: if power fails before the
 * commit, a signature was made that nobody has seen.
 */

/** Who asked and who did it, for the ledger. */
export interface Provenance {
  /** Null for what was handed in one by one. */
  readonly station: string | null;
  readonly officer: string;
  readonly now: Date;
}

/** A request whose own rules hold, with its DER. */
export interface Request extends VerifiedCsr {
  readonly der: Uint8Array;
}

/** What signs, and into which form. */
export interface Issuing {
  readonly authority: Authority;
  readonly template: DeviceTemplate;
}

export function issuingWith(authority: Authority, file: AuthorityFile, now: Date): Issuing {
  const validity = validityFrom(now, file.validDays);
  return { authority, template: makeDeviceTemplate(authority.issuer, file.profile, validity) };
}

/**
 * Certificates for these requests, in their order; all of them or none. A request that was certified before gets the
 * certificate it got then.
 * @throws LinesideError `csr-refused`, and those of `admit`
 */
export async function issueDeviceCertificates(
  { ledger, file }: OpenAuthority,
  signing: Authority,
  requests: readonly Uint8Array[],
  by: Provenance,
): Promise<IssuedCertificate[]> {
  const verified = requests.map((der) => ({ ...verifyCsr(der), der }));
  return ledger.transaction(async (sql) => {
    await admit(sql, verified);
    return certify(sql, issuingWith(signing, file, by.now), verified, by);
  });
}

/**
 * Makes each id, key and request known, if the ledger's rules let it; the same request again is nothing.
 * @returns those of the devices that have a certificate already
 * @throws LinesideError `id-has-other-key`, `key-has-other-id`, `key-has-other-role`, `request-changed`,
 * `device-revoked`
 */
export async function admit(sql: Statements, requests: readonly Request[]): Promise<readonly DeviceId[]> {
  await insertDevices(sql, distinct(requests));
  const known = await latestOfDevices(
    sql,
    requests.map(({ id }) => id),
  );
  for (const [id, { revoked }] of known) if (revoked) throw new LinesideError('device-revoked', { id });
  return [...known.keys()];
}

/** Signs what has no certificate yet; the requests were admitted in this transaction. */
export async function certify(
  sql: Statements,
  issuing: Issuing,
  requests: readonly Request[],
  by: Provenance,
): Promise<IssuedCertificate[]> {
  const known = await latestOfDevices(
    sql,
    requests.map(({ id }) => id),
  );
  const fresh = new Map<DeviceId, IssuedCertificate>();
  for (const request of distinct(requests))
    if (!known.has(request.id)) fresh.set(request.id, await sign(issuing, request, by));
  await insertCertificates(sql, [...fresh.values()]);
  return requests.flatMap(({ id }) => known.get(id)?.issued ?? fresh.get(id) ?? []);
}

async function sign(
  { authority, template }: Issuing,
  { id, publicKey, spkiSha256, sha256 }: Request,
  by: Provenance,
): Promise<IssuedCertificate> {
  const serial = randomSerial();
  const der = await signed(fillDeviceTemplate(template, serial, id, publicKey), authority.signer);
  return { issuer: 'device', id, spkiSha256, csrSha256: sha256, der, ...issuedBy(serial, by) };
}

export function issuedBy(serial: Uint8Array, { station, officer, now }: Provenance) {
  return { serial: Buffer.from(serial).toString('hex'), station, officer, issuedAt: now.toISOString() };
}

function distinct(requests: readonly Request[]): readonly Request[] {
  return [...new Map(requests.map((request) => [request.sha256, request])).values()];
}
