import { createHash } from 'node:crypto';
import { type UnitState, unitStates } from '../../device.ts';
import { type UnitFacts, unitLine } from '../../unit-line.ts';
import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';

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

/** The units of a station as its log tells of them: the rows of its registry, told from nothing else. */
export class Units {
  readonly #units = new Map<number, Unit>();
  readonly #keys = new Set<string>();
  /** The chips of units that are not void. */
  readonly #chips = new Set<string>();
  readonly #texts = new Map<string, string>();
  readonly #counts = new Map<UnitState, number>(unitStates.map((state) => [state, 0]));

  constructor(units: Iterable<UnitFacts> = []) {
    for (const unit of units) this.#add({ ...unit });
  }

  get size(): number {
    return this.#units.size;
  }

  count(state: UnitState): number {
    return this.#counts.get(state) ?? 0;
  }

  has(id: number): boolean {
    return this.#units.has(id);
  }

  find(id: string): UnitFacts | undefined {
    return this.#units.get(numberOf(id));
  }

  /** In the order of their ids. */
  *inOrder(): Generator<UnitFacts> {
    for (const id of Float64Array.from(this.#units.keys()).sort()) {
      const unit = this.#units.get(id);
      if (unit !== undefined) yield unit;
    }
  }

  /** What the registry's digest must be. */
  digest(): string {
    const hash = createHash('sha256');
    for (const unit of this.inOrder()) hash.update(unitLine(unit));
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
    const unit = this.#units.get(numberOf(String(id)));
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
    this.#counts.set(unit.state, this.count(unit.state) + 1);
    if (unit.spki !== null) this.#keys.add(unit.spki);
    if (unit.uid !== null && unit.state !== 'void') this.#chips.add(unit.uid);
  }

  #move(unit: Unit, to: UnitState): void {
    this.#counts.set(unit.state, this.count(unit.state) - 1);
    this.#counts.set(to, this.count(to) + 1);
    unit.state = to;
  }
}

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
