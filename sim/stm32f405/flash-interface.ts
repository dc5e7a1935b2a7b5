import { type BusSlave, describeAccess, type Width } from '../bus.ts';
import type { ChipEvents } from '../chip.ts';
import type { FlashArray } from './flash-array.ts';
import { KeyLock } from './key-lock.ts';
import { OPTION_BYTES, type OptionBytes } from './option-bytes.ts';
import { OptionControl } from './option-control.ts';
import type { Sector } from './sectors.ts';

// RM0090 3.9: flash interface registers.
const ACR = 0x00;
const KEYR = 0x04;
const OPTKEYR = 0x08;
const SR = 0x0c;
const CR = 0x10;
const OPTCR = 0x14;

const KEY1 = 0x45670123;
const KEY2 = 0xcdef89ab;

// SR (3.9.5)
const WRPERR = 1 << 4;
const PGAERR = 1 << 5;
const PGPERR = 1 << 6;
const PGSERR = 1 << 7;
const BSY = 1 << 16;

// CR (3.9.7)
const PG = 1 << 0;
const SER = 1 << 1;
const MER = 1 << 2;
const STRT = 1 << 16;
const LOCK = 1 << 31;
const CR_WRITABLE = PG | SER | MER | 0x78 | 0x300;

// A word takes 16 µs (data sheet, "flash memory programming"), over before a probe can ask; an erase of any size is seen.
const BUSY_POLLS = 3;

const ROW = 16; // the 128 bits that one write may not cross (3.6.4)

/** The registers of the flash controller, and what they make of a write to the array. */
export class FlashInterface implements BusSlave {
  readonly base = 0x40023c00;
  readonly size = 0x400;
  readonly #array: FlashArray;
  readonly #bytes: OptionBytes;
  readonly #options: OptionControl;
  readonly #events: ChipEvents;
  readonly #lock = new KeyLock(KEY1, KEY2);
  #control = 0;
  #errors = 0;
  #busyPolls = 0;
  #stuck = false;

  constructor(array: FlashArray, bytes: OptionBytes, events: ChipEvents) {
    this.#array = array;
    this.#bytes = bytes;
    this.#options = new OptionControl(bytes);
    this.#events = events;
  }

  reset(): void {
    this.#lock.reset();
    this.#options.reset();
    this.#control = 0;
    this.#errors = 0;
    this.#busyPolls = 0;
    this.#stuck = false;
  }

  read(offset: number): number {
    switch (offset) {
      case ACR:
        return 0;
      case SR:
        return this.#errors | this.#busy();
      case CR:
        return this.#control | (this.#lock.locked ? LOCK : 0);
      case OPTCR:
        return this.#options.read();
    }
    if (offset !== KEYR && offset !== OPTKEYR)
      this.#events.onUnimplemented(describeAccess('read', this.base + offset));
    return 0;
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case ACR: // wait states and caches: nothing here takes time
        return;
      case KEYR:
        return this.#lock.offer(value);
      case OPTKEYR:
        return this.#options.writeKey(value);
      case SR:
        this.#errors &= ~value; // cleared by writing 1
        return;
      case CR:
        return this.#writeControl(value);
      case OPTCR:
        return this.#writeOptions(value);
    }
    this.#events.onUnimplemented(describeAccess('write', this.base + offset, value));
  }

  /** What the controller refuses it says in SR: the bus never hears of it (3.6.4). */
  program(offset: number, value: number, width: Width): void {
    this.#array.mustAnswer(offset);
    const refused = this.#refusal(offset, width);
    this.#errors |= refused;
    if (refused !== 0) return;
    this.#array.program(offset, value, width);
    this.#start(0);
  }

  #refusal(offset: number, width: Width): number {
    if (this.#array.isProtectedAt(offset)) return WRPERR;
    if ((this.#control & PG) === 0 || this.#lock.locked) return PGSERR;
    if (width !== 1 << ((this.#control >> 8) & 3)) return PGPERR;
    return (offset % ROW) + width > ROW ? PGAERR : 0;
  }

  #writeControl(value: number): void {
    if (this.#lock.locked) return;
    this.#control = value & CR_WRITABLE;
    if (value & STRT) this.#erase();
    if (value & LOCK) this.#lock.close();
  }

  /** Sector erase and mass erase (3.6.3). One sector that may not be erased spoils the whole of it. */
  #erase(): void {
    const wanted = this.#control & MER ? this.#array.sectors : this.#selected();
    if (wanted.length === 0) return;
    if (wanted.some((sector) => this.#array.isProtected(sector))) this.#errors |= WRPERR;
    else this.#array.erase(wanted);
    this.#start(BUSY_POLLS);
  }

  #selected(): readonly Sector[] {
    const number = (this.#control >> 3) & 0xf;
    return this.#control & SER ? this.#array.sectors.filter((sector) => sector.number === number) : [];
  }

  /** Down from level 1 to 0 the flash goes first (3.7.3); the level itself is taken up at the next reset. */
  #writeOptions(value: number): void {
    const change = this.#options.write(value);
    if (!change) return;
    this.#events.onFlashWrite(OPTION_BYTES, this.#bytes.value);
    const opening = change.from === 1 && change.to === 0;
    if (opening && !this.#events.faults.has('stuck-lock')) this.#array.erase(this.#array.sectors);
    this.#start(BUSY_POLLS);
  }

  #start(polls: number): void {
    this.#busyPolls = polls;
    this.#stuck = this.#events.faults.has('flash-busy');
  }

  #busy(): number {
    if (this.#stuck && this.#events.faults.has('flash-busy')) return BSY;
    if (this.#busyPolls === 0) return 0;
    this.#busyPolls--;
    return BSY;
  }
}
