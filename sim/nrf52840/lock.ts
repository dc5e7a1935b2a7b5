import type { Faults } from '../faults.ts';
import type { Memory } from '../memory.ts';

const APPROTECT = 0x208;
const PALL = 0xff;

/**
 * Access port protection as in revisions 1 and 2 of the nRF52840 (build codes Cx0 and Dx0): open while UICR.APPROTECT
 * is blank, closed from the next reset on when its low byte is 0x00 (PS, UICR; CTRL-AP). Revision 3 (Fx0) is closed
 * by default and opens only by UICR 0x5A and a firmware register: that one is not modelled.
 */
export class Lock {
  readonly #uicr: Memory;
  readonly #faults: Faults;
  #locked = false;

  constructor(uicr: Memory, faults: Faults) {
    this.#uicr = uicr;
    this.#faults = faults;
  }

  get locked(): boolean {
    return this.#locked;
  }

  /** At every reset. With stuck-lock the lock keeps the state it has, whatever UICR says. */
  latch(): void {
    if (!this.#faults.has('stuck-lock')) this.#locked = this.#programmed();
  }

  /** The factory's doing: as if APPROTECT had been programmed or erased before power-on. */
  preset(locked: boolean): void {
    this.#uicr.write(APPROTECT, locked ? 0xffffff00 : -1, 4);
    this.#locked = locked;
  }

  #programmed(): boolean {
    return (this.#uicr.read(APPROTECT, 4) & PALL) === 0;
  }
}
