import { PC, SP, type Thumb } from './thumb.ts';

// REGSEL values of DCRSR (ARMv7-M ARM C1.6.3).
const XPSR = 16;
const MSP = 17;
const PSP = 18;
const CONTROL = 20; // with FAULTMASK, BASEPRI and PRIMASK below it
const FPSCR = 33;
const S0 = 64;
const S31 = 95;

const XPSR_T = 1 << 24;
const SPSEL = 1 << 25;

/** The registers a debugger reaches through DCRSR: those of the interpreter, and those no loader needs. */
export class CoreRegisters {
  /** IPSR. */
  exception = 0;
  readonly #thumb: Thumb;
  #otherSp = 0; // the one of MSP and PSP that R13 is not
  #control = 0;
  #fpscr = 0;
  readonly #fpu = new Int32Array(32);

  constructor(thumb: Thumb) {
    this.#thumb = thumb;
  }

  reset(): void {
    this.exception = 0;
    this.#control = 0;
    this.#thumb.flags = 0;
  }

  read(register: number): number {
    if (register < XPSR) return this.#thumb.registers[register] ?? 0;
    if (register >= S0 && register <= S31) return this.#fpu[register - S0] ?? 0;
    switch (register) {
      case XPSR:
        return this.#thumb.flags | XPSR_T | this.exception;
      case MSP:
        return this.#usesPsp() ? this.#otherSp : this.read(SP);
      case PSP:
        return this.#usesPsp() ? this.read(SP) : this.#otherSp;
      case CONTROL:
        return this.#control;
      case FPSCR:
        return this.#fpscr;
      default:
        return 0;
    }
  }

  write(register: number, value: number): void {
    if (register < XPSR) this.#thumb.registers[register] = value & writable(register);
    else if (register >= S0 && register <= S31) this.#fpu[register - S0] = value;
    else if (register === XPSR) {
      this.#thumb.flags = value;
      this.exception = value & 0x1ff;
    } else if (register === MSP || register === PSP) this.#writeStackPointer(register === PSP, value);
    else if (register === CONTROL) this.#writeControl(value);
    else if (register === FPSCR) this.#fpscr = value;
  }

  #writeStackPointer(psp: boolean, value: number): void {
    if (psp === this.#usesPsp()) this.write(SP, value);
    else this.#otherSp = value & writable(SP);
  }

  /** CONTROL.SPSEL says which stack pointer R13 is. */
  #writeControl(value: number): void {
    const usedPsp = this.#usesPsp();
    this.#control = value;
    if (this.#usesPsp() === usedPsp) return;
    const sp = this.read(SP);
    this.write(SP, this.#otherSp);
    this.#otherSp = sp;
  }

  #usesPsp(): boolean {
    return (this.#control & SPSEL) !== 0;
  }
}

function writable(register: number): number {
  if (register === PC) return ~1;
  return register === SP ? ~3 : -1;
}
