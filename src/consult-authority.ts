import { readFile } from 'node:fs/promises';
import { type AuthorityDirectory, openAuthority } from './authority-directory.ts';
import { readCertificate } from './ca/certificate.ts';
import { mustBeFitForBrokers } from './ca/judge-crl.ts';
import { lastCrl } from './ca/ledger/last-crl.ts';
import { compromisedKeys, type LiveDevice, liveDevices } from './ca/ledger/live-devices.ts';
import { revocationsOf } from './ca/ledger/revocation-rows.ts';
import { type Crl, isSignedBy, readCrl } from './ca/read-crl.ts';
import { DerError } from './der.ts';
import { LinesideError, systemWords } from './errors.ts';
import { parsePem } from './pem.ts';

/** A CA whose devices the broker lets in, and the file with its list of revoked certificates. */
export interface CrlSource {
  readonly directory: string;
  readonly crl: string;
}

/** What one CA says, once its CRL was found sound. */
export interface Consulted extends AuthorityDirectory {
  readonly crl: Crl;
  readonly devices: readonly LiveDevice[];
  /** SHA-256 of keys that others may know. */
  readonly compromised: readonly string[];
}

/**
 * Asks a CA which of its devices a broker may let in. No key of it is needed, and its ledger is not changed.
 * @param earlier the CRLs that brokers have, of whichever CA
 * @throws LinesideError `crl-…`, `ca-…`, `clock-behind`, `ledger-…`
 */
export async function consultAuthority(
  source: CrlSource,
  earlier: readonly Crl[],
  now: Date,
): Promise<Consulted> {
  const crl = await readCrlFile(source.crl);
  const { ledger, ...authority } = await openAuthority(source.directory, now);
  try {
    const { issuer } = readCertificate(authority.certificates.device);
    const published = earlier.filter((each) => isSignedBy(each, issuer));
    return await ledger.transaction(async (sql) => {
      const marks = [await lastCrl(sql, 'device'), ...published].filter((mark) => mark !== undefined);
      const revoked = await revocationsOf(sql, 'device');
      const history = { marks, revoked: revoked.map(({ serial }) => Buffer.from(serial).toString('hex')) };
      mustBeFitForBrokers(crl, { path: source.crl, ca: authority.path }, issuer, history, now);
      const devices = await liveDevices(sql, crl.revoked, now);
      return { ...authority, crl, devices, compromised: await compromisedKeys(sql) };
    });
  } finally {
    await ledger.close();
  }
}

async function readCrlFile(path: string): Promise<Crl> {
  const text = await readFile(path, 'latin1').catch((cause: unknown) => {
    throw new LinesideError('crl-unreadable', { path, reason: systemWords(cause) }, { cause });
  });
  const invalid = (reason: string, cause?: unknown) =>
    new LinesideError('crl-invalid', { path, reason }, { cause });
  if (text === '') throw invalid('it is empty');
  const [der, ...others] = parsePem('X509 CRL', text) ?? [];
  if (der === undefined || others.length > 0) throw invalid('it is not one CRL in PEM');
  try {
    return readCrl(der);
  } catch (cause) {
    if (cause instanceof DerError) throw invalid(cause.message, cause);
    throw cause;
  }
}
