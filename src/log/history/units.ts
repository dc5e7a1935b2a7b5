import { createHash } from 'node:crypto';
import { type UnitState, unitStates } from '../../device.ts';
import { type UnitFacts, unitLine } from '../../unit-line.ts';
import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';
import { KeptUnits } from './kept-units.ts';

type Unit = { -readonly [Key in keyof UnitFacts]: UnitFacts[Key] };

const legalSteps: Readonly<Record<UnitState, readonly UnitState[]>> = {
  reserved: ['keyed', 'void'],
  keyed: ['flashing', 'void'],
  flashing: ['flashed', 'void'],
  flashed: ['verified', 'void'],
  verified: ['exported', 'void'],
  exported: ['certified'],
  certified: ['installed'],
  installed: ['installed'],
  void: [],
};

/** How many units are in each state. */
export type UnitCounts = Readonly<Record<UnitState, number>>;

/** The units of a station as its log tells of them: the rows of its registry, told from nothing else. */
export class Units {
  readonly #kept: KeptUnits;
  /** Those that the log told of since then. */
  readonly #units = new Map<number, Unit>();
  readonly #keys = new Set<string>();
  /** The chips of units that are not void. */
  readonly #chips = new Set<string>();
  readonly #texts = new Map<string, string>();
  readonly #counts: Record<UnitState, number>;
  #size: number;

  constructor(kept = new KeptUnits(Buffer.alloc(0)), counts: UnitCounts = none) {
    this.#kept = kept;
    this.#counts = { ...counts };
    this.#size = kept.size;
    for (const { spki, liveChip } of kept.keys()) {
      if (spki !== undefined) this.#keys.add(spki);
      if (liveChip !== undefined) this.#chips.add(liveChip);
    }
  }

  get size(): number {
    return this.#size;
  }

  get counts(): UnitCounts {
    return this.#counts;
  }

  has(id: number): boolean {
    return this.find(id) !== undefined;
  }

  find(id: number): UnitFacts | undefined {
    return this.#units.get(id) ?? this.#kept.find(id);
  }

  /** The lines of all units in the order of their ids, some at a time. */
  *lines(): Generator<string | Buffer> {
    let place = 0;
    for (const id of Float64Array.from(this.#units.keys()).sort()) {
      const next = this.#kept.placeOf(id);
      if (next > place) yield this.#kept.lines(place, next);
      const unit = this.#units.get(id);
      if (unit !== undefined) yield unitLine(unit);
      place = this.#kept.find(id) === undefined ? next : next + 1;
    }
    yield this.#kept.lines(place, this.#kept.size);
  }

  /** All units in the order of their ids. */
  *inOrder(): Generator<UnitFacts> {
    for (const some of this.lines())
      for (const line of some.toString().split('\n')) if (line !== '') yield JSON.parse(line) as UnitFacts;
  }

  /** What the registry's digest must be. */
  digest(): string {
    const hash = createHash('sha256');
    for (const some of this.lines()) hash.update(some);
    return hash.digest('hex');
  }

  reserve({ n, id: given, t }: Leaf): Finding | undefined {
    const id = String(given);
    if (this.has(numberOf(id))) return finding('id-twice', { n, id });
    this.#add({ ...blank, id, reservedAt: t, changedAt: t });
    return undefined;
  }

  advance(leaf: Leaf): Finding | undefined {
    const { n, ev, id, from, to } = leaf;
    const unit = this.#touch(numberOf(String(id)));
    if (unit === undefined) return finding('unit-unknown', { n, ev, id: String(id) });
    const next = unitStates.find((state) => state === to);
    if (
      next === undefined ||
      ev !== `unit.${next}` ||
      from !== unit.state ||
      !legalSteps[unit.state].includes(next)
    )
      return finding('step-illegal', { n, id: unit.id, state: unit.state, to: String(to) });
    const refusal = this.#learn(unit, leaf);
    this.#move(unit, next);
    unit.changedAt = leaf.t;
    return refusal;
  }

  /** Another certificate for a unit that has one: its state stays. */
  reissue({ n, ev, id, cert }: Leaf): Finding | undefined {
    const unit = this.#units.get(numberOf(String(id)));
    if (unit === undefined) return finding('unit-unknown', { n, ev, id: String(id) });
    if (unit.state !== 'certified' && unit.state !== 'installed')
      return finding('step-illegal', { n, id: unit.id, state: unit.state, to: 'certified' });
    unit.certificate = String(cert);
    return undefined;
  }

  /** What the registry learns at this step, and so its row. */
  #learn(unit: Unit, leaf: Leaf): Finding | undefined {
    const { n } = leaf;
    const { id } = unit;
    const text = (key: string) => String(leaf[key]);
    switch (leaf.ev) {
      case 'unit.keyed':
        unit.csr = text('csr');
        unit.spki = text('spki');
        return added(this.#keys, unit.spki) ? undefined : finding('key-twice', { n, id });
      case 'unit.flashing':
        unit.uid = text('uid');
        unit.probe = this.#shared(text('probe'));
        unit.firmware = leaf['fw'] === null ? null : this.#shared(text('fw'));
        return added(this.#chips, unit.uid) ? undefined : finding('chip-twice', { n, id });
      case 'unit.verified':
        unit.proof = this.#shared(text('proof'));
        unit.locked = leaf['locked'] === true;
        return undefined;
      case 'unit.exported':
        unit.batch = Number(leaf['batch']);
        return undefined;
      case 'unit.certified':
        unit.certificate = text('cert');
        return undefined;
      case 'unit.installed': {
        const goesBack = unit.generation !== null && Number(leaf['generation']) < unit.generation;
        unit.generation = Number(leaf['generation']);
        unit.locked ||= leaf['locked'] === true;
        return goesBack ? finding('generation-order', { n, id, found: unit.generation }) : undefined;
      }
      case 'unit.void':
        unit.reason = text('reason');
        if (unit.uid !== null) this.#chips.delete(unit.uid);
        return undefined;
      default:
        return undefined;
    }
  }

  /** One string for all units that say the same, such as the firmware of a day. */
  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }

  #add(unit: Unit): void {
    this.#units.set(numberOf(unit.id), unit);
    this.#counts[unit.state] += 1;
    this.#size += 1;
  }

  /** The unit, to be changed. */
  #touch(id: number): Unit | undefined {
    const known = this.#units.get(id);
    if (known !== undefined) return known;
    const kept = this.#kept.find(id);
    if (kept === undefined) return undefined;
    const unit = { ...kept };
    this.#units.set(id, unit);
    return unit;
  }

  #move(unit: Unit, to: UnitState): void {
    this.#counts[unit.state] -= 1;
    this.#counts[to] += 1;
    unit.state = to;
  }
}

const none: UnitCounts = {
  reserved: 0,
  keyed: 0,
  flashing: 0,
  flashed: 0,
  verified: 0,
  exported: 0,
  certified: 0,
  installed: 0,
  void: 0,
};

const blank: UnitFacts = {
  id: '',
  state: 'reserved',
  csr: null,
  spki: null,
  uid: null,
  probe: null,
  firmware: null,
  proof: null,
  locked: false,
  batch: null,
  certificate: null,
  generation: null,
  reason: null,
  reservedAt: '',
  changedAt: '',
};

function numberOf(id: string): number {
  return Number.parseInt(id, 16);
}

function added(set: Set<string>, value: string): boolean {
  if (set.has(value)) return false;
  set.add(value);
  return true;
}
