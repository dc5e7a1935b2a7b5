import type { AccessPort } from '../access-port.ts';

// nRF52840 Product Specification, CTRL-AP: control access port. It stays open when the MEM-AP is locked.
const RESET = 0x00;
const ERASEALL = 0x04;
const ERASEALLSTATUS = 0x08;
const APPROTECTSTATUS = 0x0c;
const IDR = 0xfc;

const BUSY_POLLS_OF_ERASEALL = 2;

interface CtrlApOptions {
  readonly isLocked: () => boolean;
  readonly eraseAll: () => void;
  readonly reset: () => void;
}

export class CtrlAp implements AccessPort {
  readonly #options: CtrlApOptions;
  #inReset = false;
  #busyPolls = 0;

  constructor(options: CtrlApOptions) {
    this.#options = options;
  }

  powerOn(): void {
    this.#inReset = false;
    this.#busyPolls = 0;
  }

  read(register: number): number {
    if (register === RESET) return this.#inReset ? 1 : 0;
    if (register === ERASEALLSTATUS) return this.#busyPolls > 0 && this.#busyPolls-- > 0 ? 1 : 0;
    if (register === APPROTECTSTATUS) return this.#options.isLocked() ? 0 : 1;
    return register === IDR ? 0x02880000 : 0;
  }

  write(register: number, value: number): void {
    if (register === RESET) this.#writeReset((value & 1) === 1);
    else if (register === ERASEALL && value & 1) {
      this.#options.eraseAll();
      this.#busyPolls = BUSY_POLLS_OF_ERASEALL;
    }
  }

  /** The chip starts again when the reset is released. */
  #writeReset(asserted: boolean): void {
    if (this.#inReset && !asserted) this.#options.reset();
    this.#inReset = asserted;
  }
}
