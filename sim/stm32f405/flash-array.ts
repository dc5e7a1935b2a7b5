import { BusFault, type BusSlave, type Width } from '../bus.ts';
import type { ChipEvents } from '../chip.ts';
import type { Memory } from '../memory.ts';
import type { OptionBytes } from './option-bytes.ts';
import { flashOnBoard, type Sector, sectorsOnBoard } from './sectors.ts';

/** The cells, and who may get at them. */
export class FlashArray {
  readonly #memory: Memory;
  readonly #options: OptionBytes;
  readonly #isBarred: () => boolean;
  readonly #events: ChipEvents;

  /** `isBarred` says that read protection keeps the one who asks out of the flash. */
  constructor(memory: Memory, options: OptionBytes, isBarred: () => boolean, events: ChipEvents) {
    this.#memory = memory;
    this.#options = options;
    this.#isBarred = isBarred;
    this.#events = events;
  }

  get sectors(): readonly Sector[] {
    return sectorsOnBoard(this.#events.faults);
  }

  /** As the bus sees it: where it is programmed, and at 0, where the core boots from it (RM0090 2.4: BOOT0 is 0). */
  slaves(write: BusSlave['write']): { readonly flash: BusSlave; readonly alias: BusSlave } {
    const { base, size } = this.#memory;
    const read = (offset: number, width: Width) => this.#read(offset, width);
    const noWrite = (offset: number) => {
      throw new BusFault(offset);
    };
    return { flash: { base, size, read, write }, alias: { base: 0, size, read, write: noWrite } };
  }

  /** Read protection or write protection keeps this sector as it is. */
  isProtected({ number }: Sector): boolean {
    return this.#isBarred() || this.#options.isWriteProtected(number);
  }

  isProtectedAt(offset: number): boolean {
    const sector = this.sectors.find(({ start, end }) => offset >= start && offset < end);
    return sector !== undefined && this.isProtected(sector);
  }

  erase(sectors: readonly Sector[]): void {
    for (const { start, end } of sectors) this.#memory.bytes.fill(0xff, start, end);
  }

  /** From 1 to 0 only. What of the word is not written keeps its bits: it is written as ones. */
  program(offset: number, value: number, width: Width): void {
    const { faults, onFlashWrite } = this.#events;
    const lane = 8 * (offset & 3);
    const lanes = (width === 4 ? -1 : (1 << (8 * width)) - 1) << lane;
    const asked = (value << lane) | ~lanes;
    const word = offset & ~3;
    const weak = faults.weakBits(this.#memory.base + word, asked);
    this.#memory.write(word, this.#memory.read(word, 4) & (asked | weak), 4);
    onFlashWrite(this.#memory.base + offset, value >>> 0);
    faults.flashAccepted(width);
  }

  /** A part that is not there, or has no power. */
  mustAnswer(offset: number): void {
    const { faults } = this.#events;
    if (offset >= flashOnBoard(faults) || !faults.connected) throw new BusFault(this.#memory.base + offset);
  }

  #read(offset: number, width: Width): number {
    const address = this.#memory.base + offset;
    if (this.#isBarred() || offset >= flashOnBoard(this.#events.faults)) throw new BusFault(address);
    this.#events.onFlashRead(address);
    return this.#memory.read(offset, width);
  }
}
