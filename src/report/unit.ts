import type { UnitState } from '../device.ts';

/** A leaf of the log that names a unit, with what events of units say. */
export interface UnitLeaf {
  readonly n: number;
  /** ISO 8601 UTC with milliseconds: a claim of the PC's clock. */
  readonly t: string;
  /** `<boot id>:<seconds since then>`; leaves of version 1 have none. */
  readonly m?: string;
  readonly ev: string;
  readonly id: string;
  readonly to?: UnitState;
  readonly csr?: string;
  readonly spki?: string;
  readonly uid?: string;
  readonly probe?: string;
  readonly fw?: string | null;
  readonly proof?: string;
  readonly locked?: boolean;
  readonly batch?: number;
  readonly cert?: string;
  readonly generation?: number;
  readonly reason?: string;
}

/** `good`: it was verified. `void`: given up for ever. `in doubt`: neither, so only its board can tell. */
export type Outcome = 'good' | 'void' | 'in doubt';

/** A unit as the log alone tells of it. Hashes are SHA-256, times those of the leaves; what is not known yet is null. */
export interface Unit {
  readonly id: string;
  readonly state: UnitState;
  readonly outcome: Outcome;
  readonly probe: string | null;
  readonly uid: string | null;
  readonly firmware: string | null;
  readonly csr: string | null;
  readonly spki: string | null;
  readonly proof: string | null;
  readonly locked: boolean;
  /** The batch that took its request to the CA. */
  readonly batch: number | null;
  /** The newest certificate. */
  readonly certificate: string | null;
  readonly generation: number | null;
  /** Which generation of certificate the board holds. */
  readonly installed: number | null;
  readonly reason: string | null;
  readonly reservedAt: string;
  /** When it was known to be good, or void if that came later. */
  readonly settledAt: string | null;
  /** From its reservation until it was first known to be good or void. */
  readonly seconds: number | null;
  readonly changedAt: string;
  /** `m` of its first leaf: what `seconds` is told by. */
  readonly reservedOn: string | null;
}

/** What is known of a unit after one more leaf; undefined before its first. */
export function learn(unit: Unit | undefined, leaf: UnitLeaf): Unit {
  const known = unit ?? reserved(leaf);
  const state = leaf.to ?? known.state;
  return { ...known, ...learned(leaf, known), state, outcome: outcomeOf(state), changedAt: leaf.t };
}

function reserved({ id, t, m }: UnitLeaf): Unit {
  const nothing = { probe: null, uid: null, firmware: null, csr: null, spki: null, proof: null, batch: null };
  const noCertificate = { certificate: null, generation: null, installed: null, reason: null };
  const times = { reservedAt: t, settledAt: null, seconds: null, changedAt: t, reservedOn: m ?? null };
  return {
    id,
    state: 'reserved',
    outcome: 'in doubt',
    locked: false,
    ...nothing,
    ...noCertificate,
    ...times,
  };
}

function learned(leaf: UnitLeaf, before: Unit): Partial<Unit> {
  const { ev, csr = null, spki = null, probe = null, uid = null, fw = null, proof = null } = leaf;
  const { locked = false, batch = null, cert = null, generation = null, reason = null } = leaf;
  switch (ev) {
    case 'unit.keyed':
      return { csr, spki };
    case 'unit.flashing':
      return { uid, probe, firmware: fw };
    case 'unit.verified':
      return { proof, locked, ...settled(leaf, before) };
    case 'unit.exported':
      return { batch };
    case 'unit.certified':
    case 'unit.reissued':
      return { certificate: cert, generation };
    case 'unit.installed':
      return { installed: generation, locked: locked || before.locked };
    case 'unit.void':
      return { reason, ...settled(leaf, before) };
    default:
      return {};
  }
}

function settled({ t, m }: UnitLeaf, { seconds, reservedAt, reservedOn }: Unit): Partial<Unit> {
  return { settledAt: t, seconds: seconds ?? secondsBetween({ t: reservedAt, m: reservedOn }, { t, m }) };
}

interface Moment {
  readonly t: string;
  readonly m: string | null | undefined;
}

/** By the boot clock, which no hand sets, if the PC was not started in between; never below 0. */
function secondsBetween(from: Moment, to: Moment): number {
  const [boot, start] = from.m?.split(':') ?? [];
  const [bootThen, end] = to.m?.split(':') ?? [];
  const sameBoot = boot !== undefined && boot === bootThen;
  const seconds = sameBoot ? Number(end) - Number(start) : (Date.parse(to.t) - Date.parse(from.t)) / 1000;
  return Math.max(0, Math.round(seconds * 1000) / 1000);
}

function outcomeOf(state: UnitState): Outcome {
  if (state === 'void') return 'void';
  return ['reserved', 'keyed', 'flashing', 'flashed'].includes(state) ? 'in doubt' : 'good';
}
