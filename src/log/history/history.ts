import { deviceIdFromNumber, unitStates } from '../../device.ts';
import type { UnitFacts } from '../../unit-line.ts';
import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';
import { Batches, type BatchState } from './batches.ts';
import { Clock, type ClockState } from './clock.ts';
import { Leases, type LeaseState } from './leases.ts';
import { Units } from './units.ts';

/** What has to be known of the leaves before, to judge the next one; the units apart, because they are many. */
export interface HistoryState {
  /** Of the leaves that have been seen. */
  readonly size: number;
  /** SHA-256 of the last of them, as the next one must name it. */
  readonly tip: string;
  /** The last epoch that was opened, 0 if none was. */
  readonly opened: number;
  readonly trusted: boolean;
  readonly clock: ClockState;
  readonly leases: readonly LeaseState[];
  readonly batches: BatchState;
}

/** Judges what a log says, leaf after leaf: could an honest station of this name have written it? */
export class History {
  readonly units: Units;
  readonly #station: string;
  readonly #clock: Clock;
  readonly #leases: Leases;
  readonly #batches: Batches;
  #size: number;
  #tip: string;
  #opened: number;
  #trusted: boolean;
  /** How many leaves ago the digest of all units was compared. */
  #unproven = 0;
  #last: Leaf | undefined;

  constructor(station: string, state?: HistoryState, units: Iterable<UnitFacts> = []) {
    this.#station = station;
    this.units = new Units(units);
    this.#clock = new Clock(state?.clock);
    this.#leases = new Leases(state?.leases);
    this.#batches = new Batches(state?.batches);
    this.#size = state?.size ?? 0;
    this.#tip = state?.tip ?? '0'.repeat(64);
    this.#opened = state?.opened ?? 0;
    this.#trusted = state?.trusted ?? false;
  }

  get size(): number {
    return this.#size;
  }

  get epoch(): number {
    return Math.max(1, this.#opened);
  }

  get state(): HistoryState {
    return {
      size: this.#size,
      tip: this.#tip,
      opened: this.#opened,
      trusted: this.#trusted,
      clock: this.#clock.state,
      leases: this.#leases.state,
      batches: this.#batches.state,
    };
  }

  /** Where this leaf does not belong; undefined if it is the next one. Nothing after it can then be judged. */
  misplaced({ n, p }: Leaf): Finding | undefined {
    if (n > this.#size) return finding('leaf-missing', { n: this.#size, found: n });
    if (n < this.#size) return finding('leaf-again', { n: this.#size, found: n });
    return p === this.#tip ? undefined : finding('chain-broken', { n });
  }

  /**
   * Takes the next leaf.
   * @param sha256 of its bytes
   * @returns what is wrong, or worth knowing
   */
  see(leaf: Leaf, sha256: string): Finding[] {
    const { n, ev, station } = leaf;
    const isFirst = this.#size === 0;
    this.#size += 1;
    this.#tip = sha256;
    this.#unproven += 1;
    this.#last = leaf;
    const findings = [this.#clock.see(leaf), this.#seeEvent(leaf)];
    if (station !== this.#station) findings.unshift(finding('station-differs', { n, found: station }));
    if (isFirst !== (ev === 'station.init')) findings.unshift(finding('first-entry', { n }));
    return findings.filter((found) => found !== undefined);
  }

  #seeEvent(leaf: Leaf): Finding | undefined {
    switch (leaf.ev) {
      case 'lease.accept':
        return this.#leases.accept(leaf);
      case 'lease.close':
        return this.#leases.close(leaf);
      case 'unit.reserved':
        return this.#reserve(leaf);
      case 'unit.exported':
      case 'unit.certified':
        return this.#batches.see(leaf) ?? this.units.advance(leaf);
      case 'unit.reissued':
        return this.#batches.see(leaf) ?? this.units.reissue(leaf);
      case 'export.batch':
      case 'export.written':
      case 'import.batch':
        return this.#batches.see(leaf);
      case 'authority.trust':
        return this.#trust(leaf);
      case 'epoch.open':
        return this.#openEpoch(leaf);
      case 'seal':
        return this.#compareSeal(leaf);
      default:
        return leaf.ev.startsWith('unit.') ? this.units.advance(leaf) : undefined;
    }
  }

  #reserve(leaf: Leaf): Finding | undefined {
    const id = String(leaf['id']);
    const isLeased = this.#leases.hold(Number.parseInt(id, 16));
    return (
      this.units.reserve(leaf) ?? (isLeased ? undefined : finding('id-outside-lease', { n: leaf.n, id }))
    );
  }

  #trust({ n }: Leaf): Finding | undefined {
    const again = this.#trusted;
    this.#trusted = true;
    return again ? finding('authority-follows', { n }) : undefined;
  }

  #openEpoch(leaf: Leaf): Finding | undefined {
    const { n } = leaf;
    const [epoch, before, size] = [Number(leaf['epoch']), Number(leaf['before']), Number(leaf['size'])];
    if (epoch <= before || epoch <= this.#opened || before < this.#opened)
      return finding('epoch-order', { n, epoch, before: this.#opened });
    this.#opened = epoch;
    const lost = Math.max(0, size - n);
    return before === 0
      ? undefined
      : finding('epoch-opened', { n, epoch, before, lost, reason: String(leaf['reason']) });
  }

  /** The digest only when as many leaves have been read since as there are units: so it doubles the work at most. */
  #compareSeal(leaf: Leaf): Finding | undefined {
    const { n } = leaf;
    const differs = (field: string, told: unknown) =>
      finding('seal-differs', { n, field, said: String(leaf[field]), told: String(told) });
    const state = unitStates.find((counted) => leaf[counted] !== this.units.count(counted));
    if (state !== undefined) return differs(state, this.units.count(state));
    const next = this.#leases.nextId((id) => this.units.has(id));
    const told = next === null ? null : deviceIdFromNumber(next);
    if (leaf['next'] !== told) return differs('next', told);
    if (this.#unproven < this.units.size) return undefined;
    return this.#compareDigest(leaf);
  }

  /** What is left to be said at the end: a checkpoint follows a seal, whose digest is then always compared. */
  settle(): Finding[] {
    if (this.#last?.ev !== 'seal' || this.#unproven === 0) return [];
    return [this.#compareDigest(this.#last)].filter((found) => found !== undefined);
  }

  #compareDigest(seal: Leaf): Finding | undefined {
    this.#unproven = 0;
    const told = this.units.digest();
    if (seal['digest'] === told) return undefined;
    return finding('seal-differs', { n: seal.n, field: 'digest', said: String(seal['digest']), told });
  }
}
