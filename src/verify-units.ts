import { type Chain, verifyCertificate } from './certificate.ts';
import { type VerifiedCsr, verifyCsrElsewhere } from './csr/verify.ts';
import { LinesideError } from './errors.ts';
import { inOrder } from './in-order.ts';

/** What a unit has on record, both in DER. */
export interface UnitOnRecord {
  readonly csr: Uint8Array;
  readonly certificate: Uint8Array;
}

export interface VerifiedUnit {
  readonly csr: VerifiedCsr;
  /** Of the certificate, upper-case hex digits. */
  readonly serial: string;
}

/**
 * Verifies request and certificate of each unit, on every core. Nobody is kept from being looked at by another one:
 * each unit comes out, in order, as verified or as the error `csr-refused` or `certificate-refused`.
 */
export async function verifyUnits(
  units: readonly UnitOnRecord[],
  chain: Chain,
): Promise<(VerifiedUnit | LinesideError)[]> {
  const verified: (VerifiedUnit | LinesideError)[] = [];
  for await (const outcome of inOrder(units, (unit) => verifyUnit(unit, chain))) {
    if (outcome.status === 'fulfilled') verified.push(outcome.value);
    else if (outcome.reason instanceof LinesideError) verified.push(outcome.reason);
    else throw outcome.reason;
  }
  return verified;
}

async function verifyUnit({ csr, certificate }: UnitOnRecord, chain: Chain): Promise<VerifiedUnit> {
  return {
    csr: await verifyCsrElsewhere(csr),
    serial: await verifyCertificate(certificate, csr, chain),
  };
}
