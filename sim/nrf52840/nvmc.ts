import { BusFault, type BusSlave, describeAccess, type Width } from '../bus.ts';
import type { ChipEvents } from '../chip.ts';
import type { Memory } from '../memory.ts';
import { PAGE_SIZE, partOnBoard } from './ficr.ts';

// nRF52840 Product Specification, NVMC: non-volatile memory controller.
const READY = 0x400;
const READYNEXT = 0x408;
const CONFIG = 0x504;
const ERASEPAGE = 0x508;
const ERASEALL = 0x50c;
const ERASEUICR = 0x514;

const WEN = 1;
const EEN = 2;

// t_WRITE is 41 µs, over before a probe can ask; t_ERASEPAGE is 85 ms and t_ERASEALL 173 ms, which a probe does see.
const BUSY_POLLS_OF_ERASE = 3;

export class Nvmc implements BusSlave {
  readonly base = 0x4001e000;
  readonly size = 0x1000;
  readonly #flash: Memory;
  readonly #uicr: Memory;
  readonly #events: ChipEvents;
  #config = 0;
  #busyPolls = 0;
  #neverReady = false;

  constructor(flash: Memory, uicr: Memory, events: ChipEvents) {
    this.#flash = flash;
    this.#uicr = uicr;
    this.#events = events;
  }

  reset(): void {
    this.#config = 0;
    this.#busyPolls = 0;
    this.#neverReady = false;
  }

  /** The flash array and UICR as bus slaves: they read as memory, and are written through the controller. */
  arrays(): { readonly flash: BusSlave; readonly uicr: BusSlave } {
    return { flash: this.#array(this.#flash), uicr: this.#array(this.#uicr) };
  }

  /** ERASEALL, by register or by CTRL-AP: code flash and UICR. */
  eraseAll(): void {
    this.#flash.bytes.fill(0xff);
    this.#uicr.bytes.fill(0xff);
  }

  read(offset: number): number {
    if (offset === READY || offset === READYNEXT) return this.#ready();
    if (offset === CONFIG) return this.#config;
    this.#events.onUnimplemented(describeAccess('read', this.base + offset));
    return 0;
  }

  write(offset: number, value: number): void {
    if (offset === CONFIG) this.#config = value & 3;
    else if (offset === ERASEPAGE) this.#erase(() => this.#erasePage(value >>> 0));
    else if (offset === ERASEALL) this.#erase(() => value & 1 && this.eraseAll());
    else if (offset === ERASEUICR) this.#erase(() => value & 1 && this.#uicr.bytes.fill(0xff));
    else this.#events.onUnimplemented(describeAccess('write', this.base + offset, value));
  }

  #ready(): number {
    if (this.#neverReady && this.#events.faults.has('flash-busy')) return 0;
    if (this.#busyPolls === 0) return 1;
    this.#busyPolls--;
    return 0;
  }

  /** Without EEN an erase register does nothing. */
  #erase(erase: () => void): void {
    if (this.#config !== EEN) return;
    erase();
    this.#busy(BUSY_POLLS_OF_ERASE);
  }

  #erasePage(address: number): void {
    if (address >= this.#flash.size) return;
    const page = address - (address % PAGE_SIZE);
    this.#flash.bytes.fill(0xff, page, page + PAGE_SIZE);
  }

  #busy(polls: number): void {
    this.#busyPolls = polls;
    this.#neverReady = this.#events.faults.has('flash-busy');
  }

  #array(memory: Memory): BusSlave {
    const check = (offset: number) => {
      // The nRF52832 has half of the array and nothing behind it.
      if (memory === this.#flash && offset >= partOnBoard(this.#events.faults).flashPages * PAGE_SIZE) {
        throw new BusFault(memory.base + offset);
      }
    };
    return {
      base: memory.base,
      size: memory.size,
      read: (offset, width) => {
        check(offset);
        this.#events.onFlashRead(memory.base + offset);
        return memory.read(offset, width);
      },
      write: (offset, value, width) => {
        check(offset);
        this.#program(memory, offset, value, width);
      },
    };
  }

  /** Only enabled, only whole aligned words, only from 1 to 0, and only as long as there is power. */
  #program(memory: Memory, offset: number, value: number, width: Width): void {
    const address = memory.base + offset;
    const allowed = this.#config === WEN && width === 4 && offset % 4 === 0;
    if (!allowed || !this.#events.faults.connected) throw new BusFault(address);
    memory.write(offset, memory.read(offset, 4) & (value | this.#events.faults.weakBits(address, value)), 4);
    this.#events.onFlashWrite(address, value >>> 0);
    if (memory === this.#flash) this.#events.faults.flashAccepted(4);
    this.#busy(0);
  }
}
