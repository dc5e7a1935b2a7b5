import { deviceIdFromNumber, type DeviceId } from '../device.ts';
import type { CertificateRow, Evidence } from '../registry/sqlite/evidence.ts';
import type { UnitRow } from '../registry/sqlite/unit-rows.ts';
import { type Finding, found, station } from './finding.ts';
import type { KnownValues } from './key-scan/known-values.ts';
import { signatureNumbers } from './signature.ts';
import { weakPoints } from './weak-keys.ts';

/**
 * Looks for keys that somebody could find out: weak ones, shared ones, and those whose signatures have a random number
 * in common. Every number it meets is public, and is known as such from then on.
 */
export class KeyAudit {
  readonly #known: KnownValues;
  readonly #weak = weakPoints();
  /** Numbers that seem to have been there before: told apart from chance at the end. */
  readonly #again = { key: new Set<string>(), nonce: new Set<string>() };

  constructor(known: KnownValues) {
    this.#known = known;
  }

  *see(
    unit: UnitRow,
    publicKey: Uint8Array | undefined,
    certificates: readonly CertificateRow[],
  ): Generator<Finding> {
    const id = deviceIdFromNumber(unit.id);
    if (publicKey !== undefined) {
      const x = this.#first('key', publicKey.subarray(1, 33));
      this.#known.add(publicKey.subarray(33));
      const why = this.#weak.get(x);
      if (why !== undefined) yield found('key-weak', { kind: 'unit', id }, { id, why });
    }
    for (const der of [unit.csr, ...certificates.map(({ der }) => der)]) {
      const numbers = der === null ? undefined : signatureNumbers(der);
      if (numbers === undefined) continue;
      this.#first('nonce', numbers.r);
      this.#known.add(numbers.s);
    }
  }

  /** Who has what somebody else has: one more reading of all units, if there is a suspicion. */
  async *shared(evidence: Evidence): AsyncGenerator<Finding> {
    if (this.#again.key.size + this.#again.nonce.size === 0) return;
    const keys = new Map<string, Set<DeviceId>>();
    const nonces = new Map<string, Set<string>>();
    for await (const { units, certificates } of evidence.units()) {
      for (const { id, csr } of units) {
        if (csr === null) continue;
        note(keys, pointOf(csr), this.#again.key, deviceIdFromNumber(id));
        note(nonces, nonceOf(csr), this.#again.nonce, `the request of unit ${deviceIdFromNumber(id)}`);
      }
      for (const { unit, generation, der } of certificates)
        note(
          nonces,
          nonceOf(der),
          this.#again.nonce,
          `certificate ${generation} of unit ${deviceIdFromNumber(unit)}`,
        );
    }
    for (const ids of keys.values())
      if (ids.size > 1) yield found('key-shared', station, { ids: [...ids].join(' and ') });
    for (const who of nonces.values())
      if (who.size > 1) yield found('nonce-shared', station, { ids: [...who].join(' and ') });
  }

  #first(kind: 'key' | 'nonce', number: Uint8Array): string {
    const hex = Buffer.from(number).toString('hex');
    if (this.#known.add(number)) this.#again[kind].add(hex);
    return hex;
  }
}

function note<Who>(
  found: Map<string, Set<Who>>,
  number: string | undefined,
  suspects: ReadonlySet<string>,
  who: Who,
): void {
  if (number === undefined || !suspects.has(number)) return;
  found.set(number, (found.get(number) ?? new Set()).add(who));
}

function nonceOf(der: Uint8Array): string | undefined {
  return signatureNumbers(der)?.r.toString('hex');
}

/** X of an uncompressed P-256 point in a request (RFC 5480 2.2). */
function pointOf(csr: Buffer): string | undefined {
  const at = csr.indexOf(Buffer.from('03420004', 'hex'));
  return at < 0 ? undefined : csr.toString('hex', at + 4, at + 36);
}
