import type { AccessPort } from '../access-port.ts';
import type { Chip, ChipEvents } from '../chip.ts';
import { CortexM4 } from '../cortex-m4.ts';
import type { Faults } from '../faults.ts';
import { MemAp } from '../mem-ap.ts';
import { Memory } from '../memory.ts';
import { Unmodelled } from '../unmodelled.ts';
import { Dbgmcu } from './dbgmcu.ts';
import { FlashArray } from './flash-array.ts';
import { FlashInterface } from './flash-interface.ts';
import { OPTION_BYTES, OptionBytes } from './option-bytes.ts';
import { FLASH_SIZE, flashOnBoard } from './sectors.ts';
import { SystemMemory } from './system-memory.ts';

// STMicroelectronics (JEP106 bank 0, 0x20), part 0x413.
const ROM_TABLE_PIDR = 0xa0413;

/** STM32F405RG: RM0090 and its data sheet, DocID022152. Without CCM RAM and backup SRAM. */
export class Stm32f405 implements Chip {
  readonly flash = new Memory(0x08000000, FLASH_SIZE, 0xff);
  readonly ram = new Memory(0x20000000, 0x20000, 0);
  /** The option bytes. */
  readonly config = new Memory(OPTION_BYTES, 0x10, 0xff);
  readonly core: CortexM4;
  readonly #faults: Faults;
  readonly #optionBytes: OptionBytes;
  readonly #controller: FlashInterface;
  readonly #system: SystemMemory;
  readonly #dbgmcu: Dbgmcu;
  readonly #memAp: MemAp;
  #wasDebugged = false;

  constructor(uniqueId: bigint, events: ChipEvents) {
    const { faults, onUnimplemented } = events;
    this.#faults = faults;
    const isBarred = () => this.locked && this.#wasDebugged;
    this.#optionBytes = new OptionBytes(this.config, faults);
    const array = new FlashArray(this.flash, this.#optionBytes, isBarred, events);
    this.#controller = new FlashInterface(array, this.#optionBytes, events);
    this.#system = new SystemMemory(uniqueId, isBarred, faults);
    this.#dbgmcu = new Dbgmcu(faults, onUnimplemented);
    const { flash, alias } = array.slaves((...access) => this.#controller.program(...access));
    const peripherals = new Unmodelled(0x40000000, 0x10000000, onUnimplemented);
    this.core = new CortexM4({
      slaves: [this.ram, flash, this.#controller, alias, this.#system, this.#dbgmcu, peripherals],
      ram: this.ram,
      faults,
      romTablePidr: ROM_TABLE_PIDR,
      isCode: (address) => this.#isCode(address),
      onSystemReset: () => this.#reset(),
      onUnimplemented,
    });
    this.#memAp = new MemAp(this.core.bus, () => true);
  }

  get uniqueId(): bigint {
    return this.#system.uniqueId;
  }

  get locked(): boolean {
    return this.#optionBytes.level !== 0;
  }

  /** Level 2 takes the debug port away for good. */
  get answers(): boolean {
    return this.#optionBytes.level !== 2;
  }

  /** Who asks for an access port is a debugger: at level 1 the flash is shut from then on, until power-on (3.7.3). */
  accessPort(apsel: number): AccessPort | undefined {
    this.#wasDebugged = true;
    return apsel === 0 ? this.#memAp : undefined;
  }

  powerOn(): void {
    this.#wasDebugged = false;
    this.ram.bytes.fill(0);
    this.#dbgmcu.powerOn();
    this.#loadOptions();
    this.core.powerOn();
  }

  presetLock(locked: boolean): void {
    this.#optionBytes.preset(locked);
    this.#controller.reset();
  }

  replace(uniqueId: bigint): void {
    this.#system.uniqueId = uniqueId;
    this.flash.bytes.fill(0xff);
    this.#optionBytes.preset(false);
  }

  #reset(): void {
    this.#loadOptions();
    this.core.reset();
  }

  #loadOptions(): void {
    this.#optionBytes.latch();
    this.#controller.reset();
  }

  #isCode(address: number): boolean {
    const from = (base: number, size: number) => address >= base && address < base + size;
    const flash = flashOnBoard(this.#faults);
    return from(0, flash) || from(this.flash.base, flash) || from(this.ram.base, this.ram.size);
  }
}
