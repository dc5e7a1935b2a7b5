import { BusFault, type BusSlave, partOf, type Width } from '../bus.ts';
import type { Faults } from '../faults.ts';

// nRF52840 Product Specification, FICR: factory information configuration registers.
const BASE = 0x10000000;

/** What INFO and CODESIZE say of a chip. */
interface Part {
  readonly part: number;
  readonly variant: number;
  readonly package: number;
  readonly ramKiB: number;
  readonly flashPages: number;
}

// Revision 2: build code AAD0, the last one whose APPROTECT is open when UICR is blank (see lock.ts).
const NRF52840: Part = { part: 0x52840, variant: 0x41414430, package: 0x2004, ramKiB: 256, flashPages: 256 };
const NRF52833: Part = { part: 0x52833, variant: 0x41414130, package: 0x2004, ramKiB: 128, flashPages: 256 };
const NRF52832: Part = { part: 0x52832, variant: 0x41414530, package: 0x2000, ramKiB: 64, flashPages: 128 };

export const PAGE_SIZE = 4096;

export function partOnBoard(faults: Faults): Part {
  if (faults.has('small-flash')) return NRF52832;
  return faults.has('wrong-chip') ? NRF52833 : NRF52840;
}

/** Read-only; registers that are not listed read as the blank flash they are, the ER and IR root keys too. */
export class Ficr implements BusSlave {
  readonly base = BASE;
  readonly size = PAGE_SIZE;
  deviceId: bigint;
  readonly #faults: Faults;

  constructor(deviceId: bigint, faults: Faults) {
    this.deviceId = deviceId;
    this.#faults = faults;
  }

  read(offset: number, width: Width): number {
    return partOf(this.#word(offset & ~3), offset, width);
  }

  write(offset: number): void {
    throw new BusFault(BASE + offset);
  }

  #word(offset: number): number {
    const part = partOnBoard(this.#faults);
    switch (offset) {
      case 0x010: // CODEPAGESIZE
        return PAGE_SIZE;
      case 0x014: // CODESIZE, in pages
        return part.flashPages;
      case 0x060: // DEVICEID[0]
        return Number(BigInt.asIntN(32, this.deviceId));
      case 0x064: // DEVICEID[1]
        return Number(BigInt.asIntN(32, this.deviceId >> 32n));
      case 0x100: // INFO.PART
        return part.part;
      case 0x104: // INFO.VARIANT
        return part.variant;
      case 0x108: // INFO.PACKAGE
        return part.package;
      case 0x10c: // INFO.RAM, in KiB
        return part.ramKiB;
      case 0x110: // INFO.FLASH, in KiB
        return (part.flashPages * PAGE_SIZE) / 1024;
      default:
        return -1;
    }
  }
}
