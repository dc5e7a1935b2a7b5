import type { AccessPort } from './access-port.ts';
import { BusFault } from './bus.ts';
import type { Faults } from './faults.ts';

// ACK values as shifted in, LSB first (ADIv5.2 B4.2).
export const ACK_OK = 0b001;
export const ACK_WAIT = 0b010;
export const ACK_FAULT = 0b100;

// DP registers by address (ADIv5.2 B2.2). 0x0 and 0x8 name two registers each, one read and one written.
export const DPIDR = 0x0;
export const ABORT = 0x0;
export const CTRL_STAT = 0x4;
export const SELECT = 0x8;
const RESEND = 0x8;
export const RDBUFF = 0xc;

// CTRL/STAT (B2.2.2).
export const ORUNDETECT = 1 << 0;
export const STICKYORUN = 1 << 1;
export const STICKYERR = 1 << 5;
const READOK = 1 << 6;
export const WDATAERR = 1 << 7;
const CDBGPWRUPREQ = 1 << 28;
const CSYSPWRUPREQ = 1 << 30;
const STICKY = STICKYORUN | STICKYERR | WDATAERR;

// ABORT (B2.2.1).
const STKERRCLR = 1 << 2;
const WDERRCLR = 1 << 3;
const ORUNERRCLR = 1 << 4;

// Designer Arm; the part and version of the ports that come with a Cortex-M4 and a Cortex-M0.
const CORTEX_M4_DPIDR = 0x2ba01477;
const CORTEX_M0_DPIDR = 0x0bc11477;

/** The registers of a SW-DP, DP architecture version 1, without pushed compare and verify. */
export class DebugPort {
  readonly #accessPort: (apsel: number) => AccessPort | undefined;
  readonly #faults: Faults;
  #ctrl = 0;
  #sticky = 0;
  #select = 0;
  #rdbuff = 0;

  constructor(accessPort: (apsel: number) => AccessPort | undefined, faults: Faults) {
    this.#accessPort = accessPort;
    this.#faults = faults;
  }

  powerOn(): void {
    this.#ctrl = 0;
    this.#sticky = 0;
    this.#select = 0;
    this.#rdbuff = 0;
  }

  get overrunDetect(): boolean {
    return (this.#ctrl & ORUNDETECT) !== 0;
  }

  /** The answer to a packet request. */
  acknowledge(ap: boolean, read: boolean, address: number): number {
    // DPIDR, CTRL/STAT and ABORT answer OK whatever is wrong, so that the host can find out (B4.2.4).
    if (!ap && (read ? address === DPIDR || address === CTRL_STAT : address === ABORT)) return ACK_OK;
    if (this.#sticky & STICKY) return this.#overrun(ACK_FAULT);
    if ((ap || (read && address === RDBUFF)) && this.#faults.waits > 0) {
      this.#faults.waits--;
      return this.#overrun(ACK_WAIT);
    }
    return ACK_OK;
  }

  /** With ORUNDETECT any answer but OK is an overrun (B1.2.2). */
  #overrun(ack: number): number {
    if (this.overrunDetect) this.#sticky |= STICKYORUN;
    return ack;
  }

  read(ap: boolean, address: number): number {
    if (ap) return this.#readAp(address);
    if (address === DPIDR) return this.#faults.has('wrong-dpidr') ? CORTEX_M0_DPIDR : CORTEX_M4_DPIDR;
    // DPBANKSEL 1 is DLCR, whose TURNROUND is fixed here at one cycle: it reads as zero.
    if (address === CTRL_STAT) return (this.#select & 0xf) === 0 ? this.#ctrlStat() : 0;
    if (address === RDBUFF) this.#sticky |= READOK;
    return address === RDBUFF || address === RESEND ? this.#rdbuff : 0;
  }

  write(ap: boolean, address: number, value: number): void {
    if (ap) this.#writeAp(address, value);
    else if (address === ABORT) this.#abort(value);
    else if (address === SELECT) this.#select = value;
    else if (address === CTRL_STAT && (this.#select & 0xf) === 0) {
      this.#ctrl = value & (ORUNDETECT | CDBGPWRUPREQ | CSYSPWRUPREQ);
    }
  }

  /** A write data phase with wrong parity: nothing is written (B4.2.5). */
  writeDataError(): void {
    this.#sticky |= WDATAERR;
  }

  #ctrlStat(): number {
    const acknowledges = (this.#ctrl & (CDBGPWRUPREQ | CSYSPWRUPREQ)) << 1;
    return this.#ctrl | acknowledges | this.#sticky;
  }

  #abort(value: number): void {
    if (value & STKERRCLR) this.#sticky &= ~STICKYERR;
    if (value & WDERRCLR) this.#sticky &= ~WDATAERR;
    if (value & ORUNERRCLR) this.#sticky &= ~STICKYORUN;
  }

  /** AP reads are posted: this one returns the result of the one before (B4.2.2). */
  #readAp(address: number): number {
    const previous = this.#rdbuff;
    this.#sticky |= READOK;
    this.#access((port, register) => {
      this.#rdbuff = port.read(register);
    }, address);
    return previous;
  }

  #writeAp(address: number, value: number): void {
    this.#access((port, register) => port.write(register, value), address);
  }

  #access(run: (port: AccessPort, register: number) => void, address: number): void {
    const port = this.#accessPort(this.#select >>> 24);
    if ((this.#ctrl & CDBGPWRUPREQ) === 0) {
      this.#fail();
      return;
    }
    try {
      run(port ?? NO_ACCESS_PORT, (this.#select & 0xf0) | address);
    } catch (error) {
      if (!(error instanceof BusFault)) throw error;
      this.#fail();
    }
  }

  #fail(): void {
    this.#sticky = (this.#sticky | STICKYERR) & ~READOK;
  }
}

/** An AP that is not there reads as zero, IDR too (C1.2). */
const NO_ACCESS_PORT: AccessPort = { read: () => 0, write: () => {} };
