import { LinesideError } from '../errors.ts';
import type { CrlMark } from './ledger/last-crl.ts';
import type { Issuer } from './profile.ts';
import { type Crl, isSignedBy, namesIssuer } from './read-crl.ts';

/** What is known of a CA's CRLs beside the one that is judged. */
export interface CrlHistory {
  /** The last one in the ledger, and the one that brokers have: each if there is one. */
  readonly marks: readonly CrlMark[];
  /** Serial numbers of all that the CA ever revoked, lower-case hex. */
  readonly revoked: readonly string[];
}

/**
 * Whether a CRL may go to brokers. They would not ask themselves: mosquitto takes an older one again, lets everybody
 * in at a reload with a damaged one, and nobody with one that is overdue or of another CA.
 * @throws LinesideError `crl-foreign`, `crl-tampered`, `crl-not-yet`, `crl-overdue`, `crl-rolled-back`, `crl-differs`,
 * `crl-behind`
 */
export function mustBeFitForBrokers(
  crl: Crl,
  { path, ca }: { readonly path: string; readonly ca: string },
  issuer: Issuer,
  { marks, revoked }: CrlHistory,
  now: Date,
): void {
  const { number, sha256, thisUpdate, nextUpdate } = crl;
  if (!namesIssuer(crl, issuer)) throw new LinesideError('crl-foreign', { path, ca });
  if (!isSignedBy(crl, issuer)) throw new LinesideError('crl-tampered', { path, number });
  if (thisUpdate > now) throw new LinesideError('crl-not-yet', { path, from: thisUpdate.toISOString() });
  if (nextUpdate <= now) throw new LinesideError('crl-overdue', { path, due: nextUpdate.toISOString() });
  for (const last of marks) {
    if (number < last.number) throw new LinesideError('crl-rolled-back', { path, number, last: last.number });
    if (number === last.number && sha256 !== last.sha256)
      throw new LinesideError('crl-differs', { path, number });
  }
  const missing = revoked.filter((serial) => !crl.revoked.has(serial));
  if (missing.length > 0) throw new LinesideError('crl-behind', { path, number, count: missing.length });
}
