import {
  Bus,
  BusFault,
  type BusSlave,
  describeAccess,
  type OnUnimplemented,
  partOf,
  type Width,
} from './bus.ts';
import { CoreRegisters } from './core-registers.ts';
import type { Faults } from './faults.ts';
import type { Memory } from './memory.ts';
import { constantRegisters, storedRegisters } from './system-registers.ts';
import { PC, SP, type Stop, Thumb } from './thumb.ts';

// ARMv7-M ARM B3.2.2 and C1.6.
const CPUID = 0xe000ed00;
const ICSR = 0xe000ed04;
const AIRCR = 0xe000ed0c;
const CFSR = 0xe000ed28;
const HFSR = 0xe000ed2c;
const DFSR = 0xe000ed30;
const BFAR = 0xe000ed38;
const DHCSR = 0xe000edf0;
const DCRSR = 0xe000edf4;
const DCRDR = 0xe000edf8;
const DEMCR = 0xe000edfc;
const VTOR = 0xe000ed08;

const C_DEBUGEN = 1 << 0;
const C_HALT = 1 << 1;
const C_STEP = 1 << 2;
const S_REGRDY = 1 << 16;
const S_HALT = 1 << 17;
const S_LOCKUP = 1 << 19;
const S_RETIRE_ST = 1 << 24;
const S_RESET_ST = 1 << 25;
const DBGKEY = 0xa05f;
const VECTKEY = 0x05fa;
const VECTKEYSTAT = 0xfa05;

const VC_CORERESET = 1 << 0;
const VC_BUSERR = 1 << 8;
const VC_HARDERR = 1 << 10;

const DFSR_HALTED = 1 << 0;
const DFSR_BKPT = 1 << 1;
const DFSR_VCATCH = 1 << 3;
const CFSR_PRECISERR = 1 << 9;
const CFSR_BFARVALID = 1 << 15;
const CFSR_UNDEFINSTR = 1 << 16;
const HFSR_FORCED = 1 << 30;

const HARDFAULT = 3;

// CPUID of r0p1, and that of a Cortex-M33.
const CORTEX_M4 = 0x410fc241;
const CORTEX_M33 = 0x410fd214;

// Between two ST-Link commands lies at least a USB frame: 1 ms, in which a 64 MHz core retires about this many.
const INSTRUCTIONS_PER_COMMAND = 64_000;

interface CoreOptions {
  readonly slaves: readonly BusSlave[];
  readonly ram: Memory;
  readonly faults: Faults;
  /** Who made the chip, as PIDR of its ROM table. */
  readonly romTablePidr: number;
  /** The address is one the core can fetch from. */
  readonly isCode: (address: number) => boolean;
  /** AIRCR.SYSRESETREQ: the chip resets itself and calls `reset`. */
  readonly onSystemReset: () => void;
  readonly onUnimplemented: OnUnimplemented;
}

/**
 * A Cortex-M4 as its debugger sees it, and the system space it owns on its own bus. Code in RAM is interpreted; in
 * flash the core merely counts as running. Exceptions are not stacked: a fault goes to its vector or into lockup.
 */
export class CortexM4 implements BusSlave {
  readonly base = 0xe0000000;
  readonly size = 0x100000;
  readonly bus: Bus;
  readonly thumb: Thumb;
  readonly #options: CoreOptions;
  readonly #registers: CoreRegisters;
  readonly #constants: ReadonlyMap<number, number>;
  #stored = storedRegisters();
  #control = 0; // DHCSR C_ bits
  #halted = false;
  #lockup = false;
  #wasReset = true;
  #demcr = 0;
  #dfsr = 0;
  #dcrdr = 0;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.bus = new Bus([...options.slaves, this], options.faults);
    this.thumb = new Thumb(this.bus, options.ram.base, options.ram.bytes);
    this.#registers = new CoreRegisters(this.thumb);
    this.#constants = constantRegisters(options.romTablePidr);
  }

  /** Power-on resets what a system reset leaves alone: the debug logic. */
  powerOn(): void {
    this.#stored = storedRegisters();
    this.#control = 0;
    this.#demcr = 0;
    this.#dfsr = 0;
    this.reset();
  }

  /** B1.5.5: SP and PC from the vector table, which VTOR puts at 0. */
  reset(): void {
    this.#wasReset = true;
    this.#lockup = false;
    this.#halted = false;
    this.#control &= C_DEBUGEN;
    this.#stored.set(VTOR, 0).set(CFSR, 0).set(HFSR, 0);
    this.#registers.reset();
    this.#registers.write(SP, this.#vector(0) & ~3);
    this.#registers.write(PC, this.#vector(1));
    if (this.#demcr & VC_CORERESET && this.#control & C_DEBUGEN) this.#halt(DFSR_VCATCH);
  }

  /** Lets the core run for the time of one ST-Link command. */
  advance(): void {
    if (this.#halted || this.#lockup) return;
    this.#stopped(this.thumb.run(INSTRUCTIONS_PER_COMMAND));
  }

  read(offset: number, width: Width): number {
    const address = this.base + offset;
    const word = this.#readWord((address & ~3) >>> 0);
    return partOf(word, address, width);
  }

  write(offset: number, value: number, width: Width): void {
    const address = this.base + offset;
    if (width === 4) this.#writeWord(address, value);
    else this.#options.onUnimplemented(describeAccess('write', address, value));
  }

  #readWord(address: number): number {
    switch (address) {
      case CPUID:
        return this.#options.faults.has('other-core') ? CORTEX_M33 : CORTEX_M4;
      case ICSR:
        return this.#registers.exception;
      case AIRCR:
        return (VECTKEYSTAT << 16) | 0;
      case DFSR:
        return this.#dfsr;
      case DHCSR:
        return this.#dhcsr();
      case DCRDR:
        return this.#dcrdr;
      case DEMCR:
        return this.#demcr;
    }
    const value = this.#stored.get(address) ?? this.#constants.get(address);
    if (value === undefined) this.#options.onUnimplemented(describeAccess('read', address));
    return (value ?? 0) | 0;
  }

  #writeWord(address: number, value: number): void {
    switch (address) {
      case AIRCR:
        return this.#writeAircr(value);
      case DFSR:
        this.#dfsr &= ~value;
        return;
      case DHCSR:
        if (value >>> 16 === DBGKEY) this.#writeControl(value & 0xf);
        return;
      case DCRSR:
        return this.#transferRegister(value);
      case DCRDR:
        this.#dcrdr = value;
        return;
      case DEMCR:
        this.#demcr = value;
        return;
      case CFSR:
      case HFSR:
        this.#stored.set(address, (this.#stored.get(address) ?? 0) & ~value);
        return;
    }
    if (this.#stored.has(address)) this.#stored.set(address, this.#keepReadOnly(address, value));
    else if (!this.#constants.has(address))
      this.#options.onUnimplemented(describeAccess('write', address, value));
  }

  /** FP_CTRL and DWT_CTRL say how many comparators there are: those bits cannot be written. */
  #keepReadOnly(address: number, value: number): number {
    if (address === 0xe0002000) return 0x260 | (value & 1);
    return address === 0xe0001000 ? 0x40000000 | (value & 0x003fffff) : value;
  }

  #dhcsr(): number {
    const status =
      S_REGRDY |
      (this.#halted ? S_HALT : S_RETIRE_ST) |
      (this.#lockup ? S_LOCKUP : 0) |
      (this.#wasReset ? S_RESET_ST : 0);
    this.#wasReset = false;
    return this.#control | status;
  }

  #writeControl(control: number): void {
    this.#control = control & C_DEBUGEN ? control : 0;
    if ((control & C_DEBUGEN) === 0) this.#halted = false;
    else if (control & C_HALT) {
      if (!this.#halted) this.#halt(DFSR_HALTED);
    } else if (this.#halted) this.#resume(control);
  }

  #resume(control: number): void {
    this.#halted = false;
    if (control & C_STEP) {
      this.#stopped(this.thumb.step());
      this.#halt(DFSR_HALTED);
    }
  }

  /** Entering Debug state ends a lockup (B1.5.15). */
  #halt(reason: number): void {
    this.#halted = true;
    this.#lockup = false;
    this.#dfsr |= reason;
    this.#control |= C_HALT;
  }

  #stopped(stop: Stop): void {
    if (stop === 'breakpoint' && this.#control & C_DEBUGEN) this.#halt(DFSR_BKPT);
    else if (stop === 'breakpoint') this.#hardFault();
    else if (stop === 'left RAM' && !this.#options.isCode(this.#registers.read(PC) >>> 0)) this.#hardFault();
    else if (stop === 'undefined') {
      this.#addStatus(CFSR, CFSR_UNDEFINSTR);
      this.#hardFault();
    } else if (stop instanceof BusFault) {
      this.#addStatus(CFSR, CFSR_PRECISERR | CFSR_BFARVALID);
      this.#stored.set(BFAR, stop.address);
      this.#hardFault();
    }
  }

  #addStatus(register: number, bits: number): void {
    this.#stored.set(register, (this.#stored.get(register) ?? 0) | bits);
  }

  /** The configurable faults are not enabled in SHCSR, so all of them escalate (B1.5.14). */
  #hardFault(): void {
    this.#addStatus(HFSR, HFSR_FORCED);
    this.#registers.exception = HARDFAULT;
    if (this.#control & C_DEBUGEN && this.#demcr & (VC_HARDERR | VC_BUSERR)) return this.#halt(DFSR_VCATCH);
    const handler = this.#vector(HARDFAULT) & ~1;
    if (this.#options.isCode(handler >>> 0)) return this.#registers.write(PC, handler);
    // The fault handler faults: lockup, with the PC at the address B1.5.15 gives.
    this.#lockup = true;
    this.#registers.write(PC, 0xfffffffe);
  }

  #vector(n: number): number {
    try {
      return this.bus.read((this.#stored.get(VTOR) ?? 0) + 4 * n, 4);
    } catch (error) {
      if (error instanceof BusFault) return -1;
      throw error;
    }
  }

  #writeAircr(value: number): void {
    if (value >>> 16 !== VECTKEY) return;
    if (value & 4) this.#options.onSystemReset();
    else if (value & 1) this.reset();
  }

  /** C1.6.3: REGSEL and REGWnR; the value is in DCRDR. */
  #transferRegister(dcrsr: number): void {
    const register = dcrsr & 0x7f;
    if (dcrsr & 0x10000) this.#registers.write(register, this.#dcrdr);
    else this.#dcrdr = this.#registers.read(register);
  }
}
