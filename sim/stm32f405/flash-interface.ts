import { BusFault, type BusSlave, describeAccess, type Width } from '../bus.ts';
import type { ChipEvents } from '../chip.ts';
import type { Memory } from '../memory.ts';
import { KeyLock } from './key-lock.ts';
import { OPTION_BYTES, type OptionBytes } from './option-bytes.ts';
import { OptionControl } from './option-control.ts';
import { flashOnBoard, type Sector, sectorsOnBoard } from './sectors.ts';

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

// Data sheet, table 40: a word takes 16 µs, over before a probe can ask; an erase of any size is seen.
const BUSY_POLLS = 3;

const ROW = 16; // the 128 bits that one write may not cross (3.6.4)

/** The flash controller: its registers, and the array behind it as the bus sees it at 0x08000000 and at 0. */
export class FlashInterface implements BusSlave {
  readonly base = 0x40023c00;
  readonly size = 0x400;
  readonly #flash: Memory;
  readonly #bytes: OptionBytes;
  readonly #options: OptionControl;
  readonly #events: ChipEvents;
  readonly #isBarred: () => boolean;
  readonly #lock = new KeyLock(KEY1, KEY2);
  #control = 0;
  #errors = 0;
  #busyPolls = 0;
  #stuck = false;

  /** `isBarred` says that read protection keeps the one who asks out of the flash. */
  constructor(flash: Memory, bytes: OptionBytes, isBarred: () => boolean, events: ChipEvents) {
    this.#flash = flash;
    this.#bytes = bytes;
    this.#options = new OptionControl(bytes);
    this.#isBarred = isBarred;
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

  /** The array where the core boots from it, and where it is programmed (2.4, table 3: BOOT0 is 0). */
  arrays(): { readonly flash: BusSlave; readonly alias: BusSlave } {
    const read = (offset: number, width: Width) => this.#readArray(offset, width);
    const write = (offset: number, value: number, width: Width) => this.#program(offset, value, width);
    const { base, size } = this.#flash;
    const noWrite = (offset: number) => {
      throw new BusFault(offset);
    };
    return { flash: { base, size, read, write }, alias: { base: 0, size, read, write: noWrite } };
  }

  #readArray(offset: number, width: Width): number {
    if (this.#isBarred() || offset >= flashOnBoard(this.#events.faults))
      throw new BusFault(this.#flash.base + offset);
    this.#events.onFlashRead(this.#flash.base + offset);
    return this.#flash.read(offset, width);
  }

  /** What the controller refuses, it says in SR: the bus never hears of it (3.6.4). */
  #program(offset: number, value: number, width: Width): void {
    const { faults, onFlashWrite } = this.#events;
    const address = this.#flash.base + offset;
    if (offset >= flashOnBoard(faults) || !faults.connected) throw new BusFault(address);
    const refused = this.#refusal(offset, width);
    this.#errors |= refused;
    if (refused !== 0) return;
    // What is not written of the word keeps its bits: it is written as ones.
    const lane = 8 * (offset & 3);
    const lanes = (width === 4 ? -1 : (1 << (8 * width)) - 1) << lane;
    const asked = (value << lane) | ~lanes;
    const word = offset & ~3;
    const weak = faults.weakBits(this.#flash.base + word, asked);
    this.#flash.write(word, this.#flash.read(word, 4) & (asked | weak), 4);
    onFlashWrite(address, value >>> 0);
    faults.flashAccepted(width);
    this.#start(0);
  }

  #refusal(offset: number, width: Width): number {
    const protectedSector = this.#sectors().some(
      (sector) => offset >= sector.start && offset < sector.end && this.#isProtected(sector),
    );
    if (this.#isBarred() || protectedSector) return WRPERR;
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
    const wanted = this.#control & MER ? this.#sectors() : this.#selected();
    if (wanted.length === 0) return;
    if (this.#isBarred() || wanted.some((sector) => this.#isProtected(sector))) this.#errors |= WRPERR;
    else for (const { start, end } of wanted) this.#flash.bytes.fill(0xff, start, end);
    this.#start(BUSY_POLLS);
  }

  #selected(): readonly Sector[] {
    const number = (this.#control >> 3) & 0xf;
    return this.#control & SER ? this.#sectors().filter((sector) => sector.number === number) : [];
  }

  /** Down from level 1 to 0 the flash goes first (3.7.3); the level itself is taken up at the next reset. */
  #writeOptions(value: number): void {
    const change = this.#options.write(value);
    if (!change) return;
    this.#events.onFlashWrite(OPTION_BYTES, this.#bytes.value);
    const opening = change.from === 1 && change.to === 0;
    if (opening && !this.#events.faults.has('stuck-lock')) this.#flash.bytes.fill(0xff);
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

  #sectors(): readonly Sector[] {
    return sectorsOnBoard(this.#events.faults);
  }

  #isProtected({ number }: Sector): boolean {
    return this.#bytes.isWriteProtected(number);
  }
}
