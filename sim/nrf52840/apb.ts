import { type BusSlave, describeAccess, type OnUnimplemented, type Width } from '../bus.ts';

const WDT_RR0 = 0x10600;
const WDT_RR7 = 0x1061c;

/** Peripherals without behaviour. A watchdog refresh is let through in silence: OpenOCD's loader does it. */
export class Apb implements BusSlave {
  readonly base = 0x40000000;
  readonly size = 0x30000;
  readonly #onUnimplemented: OnUnimplemented;

  constructor(onUnimplemented: OnUnimplemented) {
    this.#onUnimplemented = onUnimplemented;
  }

  read(offset: number): number {
    this.#onUnimplemented(describeAccess('read', this.base + offset));
    return 0;
  }

  write(offset: number, value: number, _width: Width): void {
    if (offset >= WDT_RR0 && offset <= WDT_RR7) return;
    this.#onUnimplemented(describeAccess('write', this.base + offset, value));
  }
}
