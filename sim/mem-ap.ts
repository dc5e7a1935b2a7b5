import type { AccessPort } from './access-port.ts';
import { type Bus, BusFault, type Width } from './bus.ts';

// ADIv5.2 C2.6, MEM-AP register summary.
const CSW = 0x00;
const TAR = 0x04;
const DRW = 0x0c;
const BD0 = 0x10;
const BD3 = 0x1c;
const BASE = 0xf8;
const IDR = 0xfc;

const CSW_SIZE = 0x7;
const CSW_ADDRINC = 0x30;
const ADDRINC_SINGLE = 0x10;
const ADDRINC_PACKED = 0x20;
const CSW_DEVICE_EN = 0x40;
const CSW_WRITABLE = 0x7f000037;

/** The AHB-AP of a Cortex-M4 (DDI 0439B 11.3): 4 KiB of auto-increment, packed transfers, byte lanes. */
export class MemAp implements AccessPort {
  readonly #bus: Bus;
  readonly #isOpen: () => boolean;
  #csw = 0x23000002;
  #tar = 0;

  /** `isOpen` is DBGEN: false behind a read-out lock. */
  constructor(bus: Bus, isOpen: () => boolean) {
    this.#bus = bus;
    this.#isOpen = isOpen;
  }

  read(register: number): number {
    if (register === CSW) return this.#csw | (this.#isOpen() ? CSW_DEVICE_EN : 0);
    if (register === TAR) return this.#tar | 0;
    if (register === DRW) return this.#transfer((address, width) => this.#load(address, width));
    if (register >= BD0 && register <= BD3) return this.#load(this.#banked(register), 4);
    if (register === BASE) return 0xe00ff003 | 0;
    return register === IDR ? 0x24770011 : 0;
  }

  write(register: number, value: number): void {
    if (register === CSW) this.#csw = value & CSW_WRITABLE;
    else if (register === TAR) this.#tar = value >>> 0;
    else if (register === DRW) this.#transfer((address, width) => this.#store(address, value, width));
    else if (register >= BD0 && register <= BD3) this.#store(this.#banked(register), value, 4);
  }

  #banked(register: number): number {
    return ((this.#tar & ~0xf) | (register & 0xc)) >>> 0;
  }

  /** One DRW access: one bus access, or as many as fill 32 bits when packed (C2.2.6). */
  #transfer(access: (address: number, width: Width) => number): number {
    const width = WIDTHS[this.#csw & CSW_SIZE] ?? 4;
    const increment = this.#csw & CSW_ADDRINC;
    const count = increment === ADDRINC_PACKED ? 4 / width : 1;
    let word = 0;
    for (let i = 0; i < count; i++) {
      const address = this.#tar;
      // The Cortex-M4 increments TAR even after a failed access: OpenOCD's "failed at" is one past the fault.
      if (increment === ADDRINC_SINGLE || increment === ADDRINC_PACKED) this.#increment(width);
      word |= access(address, width);
    }
    return word;
  }

  #increment(width: Width): void {
    this.#tar = ((this.#tar & ~0xfff) | ((this.#tar + width) & 0xfff)) >>> 0;
  }

  /** Data sits in the byte lane of its address (C2.2.6). */
  #load(address: number, width: Width): number {
    if (!this.#isOpen()) throw new BusFault(address);
    const lane = 8 * (address & 3 & ~(width - 1));
    return this.#bus.read(aligned(address, width), width) << lane;
  }

  #store(address: number, value: number, width: Width): number {
    if (!this.#isOpen()) throw new BusFault(address);
    const lane = 8 * (address & 3 & ~(width - 1));
    this.#bus.write(aligned(address, width), value >> lane, width);
    return 0;
  }
}

const WIDTHS: readonly Width[] = [1, 2, 4];

function aligned(address: number, width: Width): number {
  return (address & ~(width - 1)) >>> 0;
}
