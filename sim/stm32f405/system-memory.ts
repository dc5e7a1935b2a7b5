import { BusFault, type BusSlave, partOf, type Width } from '../bus.ts';
import type { Faults } from '../faults.ts';
import { flashOnBoard } from './sectors.ts';

const BASE = 0x1fff7800; // the OTP area, read as blank, and behind it what the factory wrote
const UNIQUE_ID = 0x1fff7a10; // RM0090 39.1: 96 bits
const FLASH_SIZE_WORD = 0x1fff7a20; // 39.2: F_SIZE in KiB, in the upper half of this word

/**
 * Read-only. Read protection takes it away with the flash: the manual says so of the OTP area, and is silent on the
 * rest, so nobody may count on it.
 */
export class SystemMemory implements BusSlave {
  readonly base = BASE;
  readonly size = 0x800;
  uniqueId: bigint;
  readonly #faults: Faults;
  readonly #isBarred: () => boolean;

  constructor(uniqueId: bigint, isBarred: () => boolean, faults: Faults) {
    this.uniqueId = uniqueId;
    this.#isBarred = isBarred;
    this.#faults = faults;
  }

  read(offset: number, width: Width): number {
    if (this.#isBarred()) throw new BusFault(BASE + offset);
    return partOf(this.#word(BASE + (offset & ~3)), offset, width);
  }

  write(offset: number): void {
    throw new BusFault(BASE + offset);
  }

  #word(address: number): number {
    const n = (address - UNIQUE_ID) / 4;
    if (n >= 0 && n < 3) return Number(BigInt.asIntN(32, this.uniqueId >> BigInt(32 * n)));
    if (address === FLASH_SIZE_WORD) return (flashOnBoard(this.#faults) / 1024) << 16;
    return -1;
  }
}
