import type { UnitState } from './device.ts';

/** A row of the registry as its digest has it: hashes in place of what they are the hashes of. */
export interface UnitFacts {
  readonly id: string;
  readonly state: UnitState;
  readonly csr: string | null;
  readonly spki: string | null;
  readonly uid: string | null;
  readonly probe: string | null;
  readonly firmware: string | null;
  readonly proof: string | null;
  readonly locked: boolean;
  readonly batch: number | null;
  /** The newest certificate. */
  readonly certificate: string | null;
  readonly generation: number | null;
  readonly reason: string | null;
  readonly reservedAt: string;
  readonly changedAt: string;
}

/**
 * RFC 8785 canonical JSON and a newline. The digest of a registry is SHA-256 over the lines of all its units in the
 * order of their ids; all of it can also be told from the log alone.
 */
export function unitLine(unit: UnitFacts): string {
  const { batch, certificate, changedAt, csr, firmware, generation, id, locked } = unit;
  const { probe, proof, reason, reservedAt, spki, state, uid } = unit;
  // In the order of the keys, which JSON.stringify keeps: this is written for every unit before every checkpoint.
  // biome-ignore format: one list
  const row = { batch, certificate, changedAt, csr, firmware, generation, id, locked, probe, proof, reason, reservedAt, spki, state, uid };
  return `${JSON.stringify(row)}\n`;
}
