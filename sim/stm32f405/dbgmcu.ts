import { type BusSlave, describeAccess, type OnUnimplemented, partOf, type Width } from '../bus.ts';
import type { Faults } from '../faults.ts';

// RM0090 38.6.1 and 38.16: DBGMCU_IDCODE, and three registers that keep clocks and stop timers for the debugger.
const IDCODE = 0x0;
const CR = 0x4;
const APB2_FZ = 0xc;

const REVISION_1 = 0x1007_6000;
const STM32F405 = 0x413; // and STM32F407, F415, F417
const STM32F42X = 0x419;

/** Read protection leaves it alone, and so does a system reset. */
export class Dbgmcu implements BusSlave {
  readonly base = 0xe0042000;
  readonly size = 0x400;
  readonly #faults: Faults;
  readonly #onUnimplemented: OnUnimplemented;
  readonly #stored = new Map<number, number>();

  constructor(faults: Faults, onUnimplemented: OnUnimplemented) {
    this.#faults = faults;
    this.#onUnimplemented = onUnimplemented;
  }

  powerOn(): void {
    this.#stored.clear();
  }

  read(offset: number, width: Width): number {
    return partOf(this.#word(offset & ~3), offset, width);
  }

  write(offset: number, value: number): void {
    if (offset >= CR && offset <= APB2_FZ) this.#stored.set(offset, value);
    else this.#onUnimplemented(describeAccess('write', this.base + offset, value));
  }

  #word(offset: number): number {
    if (offset === IDCODE) return REVISION_1 | (this.#faults.has('wrong-chip') ? STM32F42X : STM32F405);
    if (offset > APB2_FZ) this.#onUnimplemented(describeAccess('read', this.base + offset));
    return this.#stored.get(offset) ?? 0;
  }
}
