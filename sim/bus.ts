import type { Faults } from './faults.ts';

/** Access width in bytes: HSIZE of the AHB. */
export type Width = 1 | 2 | 4;

/**
 * Something on the bus that answers `size` bytes from `base`. Values are int32, as JavaScript's bit operators
 * give them; addresses are unsigned. An access the slave refuses is a BusFault.
 */
export interface BusSlave {
  readonly base: number;
  readonly size: number;
  read(offset: number, width: Width): number;
  write(offset: number, value: number, width: Width): void;
}

/** An AHB error response. */
export class BusFault extends Error {
  readonly address: number;
  constructor(address: number) {
    super(`bus fault at 0x${address.toString(16)}`);
    this.address = address;
  }
}

export class Bus {
  readonly #slaves: readonly BusSlave[];
  readonly #faults: Faults;

  /** The slaves asked most often come first. */
  constructor(slaves: readonly BusSlave[], faults: Faults) {
    this.#slaves = slaves;
    this.#faults = faults;
  }

  read(address: number, width: Width): number {
    const slave = this.#slaveAt(address, width);
    return slave.read(address - slave.base, width);
  }

  write(address: number, value: number, width: Width): void {
    const slave = this.#slaveAt(address, width);
    slave.write(address - slave.base, value, width);
  }

  #slaveAt(address: number, width: Width): BusSlave {
    if ((address & ~3) >>> 0 === this.#faults.busFaultWord) throw new BusFault(address);
    for (const slave of this.#slaves) {
      if (address >= slave.base && address + width <= slave.base + slave.size) return slave;
    }
    throw new BusFault(address);
  }
}

/** The byte, halfword or word at `address`, of the word it lies in. */
export function partOf(word: number, address: number, width: Width): number {
  return width === 4 ? word : (word >> (8 * (address & 3))) & (width === 2 ? 0xffff : 0xff);
}

/** Told of every access the model has no behaviour for: it reads as zero and ignores writes. */
export type OnUnimplemented = (access: string) => void;

export function describeAccess(kind: 'read' | 'write', address: number, value?: number): string {
  const hex = (n: number) => `0x${(n >>> 0).toString(16).padStart(8, '0')}`;
  return value === undefined ? `${kind} ${hex(address)}` : `${kind} ${hex(address)} = ${hex(value)}`;
}
