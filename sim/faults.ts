// What goes wrong on a board, on request. The other files ask; this one remembers.

type Argument = 'none' | 'bytes' | 'bytes or none' | 'address';

/** N counts the bytes that flash has accepted since the fault was set, whoever wrote them. */
const FAULTS = {
  absent: 'none',
  unplugged: 'bytes',
  'wait-once': 'bytes or none',
  'wait-forever': 'bytes or none',
  fault: 'address',
  'parity-once': 'bytes or none',
  parity: 'bytes or none',
  'weak-bit': 'address',
  'wrong-dpidr': 'none',
  'wrong-chip': 'none',
  'other-core': 'none',
  'small-flash': 'none',
  locked: 'none',
  'flash-busy': 'bytes or none',
  'no-ctrl-ap': 'none',
  'probe-gone': 'bytes',
  'stuck-lock': 'none',
} as const satisfies Record<string, Argument>;

export type FaultName = keyof typeof FAULTS;

interface Fault {
  readonly name: FaultName;
  readonly at: number;
}

/** How each fault is written, in the order of the README, but for those that a chip is without. */
export function faultForms(without: readonly FaultName[] = []): string[] {
  return Object.entries(FAULTS).flatMap(([name, argument]) => {
    if (isFaultName(name) && without.includes(name)) return [];
    if (argument === 'none') return [name];
    if (argument === 'address') return [`${name}@ADDRESS`];
    return argument === 'bytes' ? [`${name}@N`] : [name, `${name}@N`];
  });
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

export function parseFault(spec: string, without: readonly FaultName[] = []): Fault {
  const [, name = '', at] = /^([a-z-]+)(?:@(0x[0-9a-fA-F]{1,8}|[0-9]{1,9}))?$/.exec(spec) ?? [];
  if (!isFaultName(name) || without.includes(name)) throw unknownFault(spec, without);
  const argument: Argument = FAULTS[name];
  const takes = {
    none: at === undefined,
    bytes: isCount(at),
    'bytes or none': !isAddress(at),
    address: isAddress(at),
  };
  if (!takes[argument]) throw unknownFault(spec, without);
  return { name, at: Number(at ?? 0) };
}

const isAddress = (at: string | undefined) => at?.startsWith('0x') === true;
const isCount = (at: string | undefined) => at !== undefined && !isAddress(at);

function unknownFault(spec: string, without: readonly FaultName[]): Error {
  return new Error(`unknown fault "${spec}", allowed are ${faultForms(without).join(', ')}`);
}

// One busy AHB transfer makes a probe see a few WAITs in a row, not one.
const WAITS_OF_ONE_BUSY_TRANSFER = 3;

export class Faults {
  /** WAIT acknowledges still to be given to AP accesses. */
  waits = 0;
  /** Read data phases that still get a wrong parity bit. */
  wrongParities = 0;
  /** Word address on which the bus answers with an error, or -1. */
  busFaultWord = -1;
  /** The SWD pins touch a powered board. */
  connected = true;
  /** Told when a fault that counts flash bytes comes into force. */
  onTrigger: (name: FaultName) => void = () => {};

  readonly #inForce = new Set<FaultName>();
  #specs: readonly Fault[] = [];
  #pending: Fault[] = [];
  #flashBytes = 0;
  #weakByte = -1;
  #weakMask = 0;
  readonly #without: readonly FaultName[];

  /** `without` names what cannot go wrong on this chip. */
  constructor(without: readonly FaultName[] = []) {
    this.#without = without;
  }

  has(name: FaultName): boolean {
    return this.#inForce.has(name);
  }

  replace(specs: readonly string[]): void {
    this.#specs = specs.map((spec) => parseFault(spec, this.#without));
    this.rearm();
  }

  /** Starts all over: the same faults, none of them triggered yet. */
  rearm(): void {
    this.#inForce.clear();
    this.#flashBytes = 0;
    this.waits = 0;
    this.wrongParities = 0;
    this.busFaultWord = -1;
    this.#weakByte = -1;
    this.#weakMask = 0;
    this.connected = true;
    this.#pending = this.#specs.filter((fault) => !this.#isDue(fault));
    for (const fault of this.#specs) if (this.#isDue(fault)) this.#trigger(fault);
  }

  flashAccepted(bytes: number): void {
    if (this.#pending.length === 0) return;
    this.#flashBytes += bytes;
    const due = this.#pending.filter((fault) => this.#isDue(fault));
    this.#pending = this.#pending.filter((fault) => !this.#isDue(fault));
    for (const fault of due) this.#trigger(fault);
  }

  /**
   * Bits of the flash word at `address` that stay 1 whatever `value` says. The weak cell is the lowest bit that its
   * byte is first asked to clear, so that the fault shows.
   */
  weakBits(address: number, value: number): number {
    if ((this.#weakByte & ~3) !== address) return 0;
    const shift = 8 * (this.#weakByte & 3);
    const cleared = ~(value >> shift) & 0xff;
    if (this.#weakMask === 0) this.#weakMask = cleared & -cleared;
    return this.#weakMask << shift;
  }

  #isDue(fault: Fault): boolean {
    return FAULTS[fault.name] === 'address' || fault.at <= this.#flashBytes;
  }

  #trigger({ name, at }: Fault): void {
    this.#inForce.add(name);
    if (name === 'absent' || name === 'unplugged') this.connected = false;
    if (name === 'wait-once') this.waits = WAITS_OF_ONE_BUSY_TRANSFER;
    if (name === 'wait-forever') this.waits = Number.POSITIVE_INFINITY;
    if (name === 'parity-once') this.wrongParities = 1;
    if (name === 'parity') this.wrongParities = Number.POSITIVE_INFINITY;
    if (name === 'fault') this.busFaultWord = (at & ~3) >>> 0;
    if (name === 'weak-bit') this.#weakByte = at;
    this.onTrigger(name);
  }
}
