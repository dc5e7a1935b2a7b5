import type { AccessPort } from '../access-port.ts';
import type { Chip, ChipEvents } from '../chip.ts';
import { CortexM4 } from '../cortex-m4.ts';
import type { Faults } from '../faults.ts';
import { MemAp } from '../mem-ap.ts';
import { Memory } from '../memory.ts';
import { Unmodelled } from '../unmodelled.ts';
import { CtrlAp } from './ctrl-ap.ts';
import { Ficr, partOnBoard, PAGE_SIZE } from './ficr.ts';
import { Lock } from './lock.ts';
import { Nvmc } from './nvmc.ts';

// Nordic Semiconductor (JEP106 bank 2, 0x44), part 0x008.
const ROM_TABLE_PIDR = 0x2000c4008;

// The watchdog at 0x40010000: its refresh registers RR[0] to RR[7], which OpenOCD's loader writes.
const WDT_RR0 = 0x10600;
const WDT_RR7 = 0x1061c;

/** nRF52840 Product Specification, memory map. */
export class Nrf52840 implements Chip {
  readonly flash = new Memory(0x00000000, 0x100000, 0xff);
  readonly ram = new Memory(0x20000000, 0x40000, 0);
  /** UICR. */
  readonly config = new Memory(0x10001000, PAGE_SIZE, 0xff);
  readonly core: CortexM4;
  readonly answers = true;
  readonly #ficr: Ficr;
  readonly #faults: Faults;
  readonly #nvmc: Nvmc;
  readonly #lock: Lock;
  readonly #memAp: MemAp;
  readonly #ctrlAp: CtrlAp;

  constructor(deviceId: bigint, events: ChipEvents) {
    const { faults, onUnimplemented } = events;
    this.#faults = faults;
    this.#ficr = new Ficr(deviceId, faults);
    this.#nvmc = new Nvmc(this.flash, this.config, events);
    this.#lock = new Lock(this.config, faults);
    const { flash, uicr } = this.#nvmc.arrays();
    const isRefresh = (offset: number) => offset >= WDT_RR0 && offset <= WDT_RR7;
    const apb = new Unmodelled(0x40000000, 0x30000, onUnimplemented, isRefresh);
    this.core = new CortexM4({
      slaves: [this.ram, flash, this.#nvmc, uicr, this.#ficr, apb],
      ram: this.ram,
      faults,
      romTablePidr: ROM_TABLE_PIDR,
      isCode: (address) => this.#isCode(address),
      onSystemReset: () => this.reset(),
      onUnimplemented,
    });
    this.#memAp = new MemAp(this.core.bus, () => !this.#lock.locked);
    this.#ctrlAp = new CtrlAp({
      isLocked: () => this.#lock.locked,
      eraseAll: () => this.#eraseAndUnlock(),
      reset: () => this.reset(),
    });
  }

  get uniqueId(): bigint {
    return this.#ficr.deviceId;
  }

  get locked(): boolean {
    return this.#lock.locked;
  }

  accessPort(apsel: number): AccessPort | undefined {
    if (apsel === 0) return this.#memAp;
    return apsel === 1 && !this.#faults.has('no-ctrl-ap') ? this.#ctrlAp : undefined;
  }

  powerOn(): void {
    this.ram.bytes.fill(0);
    this.#ctrlAp.powerOn();
    this.#nvmc.reset();
    this.#lock.latch();
    this.core.powerOn();
  }

  reset(): void {
    this.#nvmc.reset();
    this.#lock.latch();
    this.core.reset();
  }

  presetLock(locked: boolean): void {
    this.#lock.preset(locked);
  }

  replace(deviceId: bigint): void {
    this.#ficr.deviceId = deviceId;
    this.#nvmc.eraseAll();
    this.#lock.preset(false);
  }

  /** CTRL-AP.ERASEALL: flash, UICR and RAM; the lock opens at the reset that follows. */
  #eraseAndUnlock(): void {
    if (this.#faults.has('stuck-lock')) return;
    this.#nvmc.eraseAll();
    this.ram.bytes.fill(0);
  }

  #isCode(address: number): boolean {
    if (address < partOnBoard(this.#faults).flashPages * PAGE_SIZE) return true;
    return address >= this.ram.base && address < this.ram.base + this.ram.size;
  }
}
