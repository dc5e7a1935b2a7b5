import {
  ABORT,
  ACK_FAULT,
  ACK_OK,
  ACK_WAIT,
  CTRL_STAT,
  DPIDR,
  ORUNDETECT,
  RDBUFF,
  SELECT,
} from './debug-port.ts';
import {
  ERROR_INSTEAD,
  FAULT_INSTEAD,
  type MemoryCommand,
  PARITY_INSTEAD,
  STATUS_AP_WAIT,
  STATUS_DP_WAIT,
} from './stlink-commands.ts';
import { BAD_PARITY, type SwdHost } from './swd-host.ts';

// MEM-AP registers, and CSW as the probe sets it when the host gives none.
const CSW = 0x00;
const TAR = 0x04;
const DRW = 0x0c;
const DEFAULT_CSW = 0x23000000;
const ADDRINC_SINGLE = 0x10;
const SIZE = { 1: 0, 2: 1, 4: 2 } as const;

const CDBGPWRUPREQ = 1 << 28;
const CSYSPWRUPREQ = 1 << 30;
const CLEAR_STICKY = 0x1e; // ABORT: all four flags
const WAIT_RETRIES = 16;
// A MEM-AP increments at least the low ten bits of TAR by itself (ADIv5.2 C2.2.2).
const TAR_BLOCK = 0x400;

/** What went wrong on the wire, as the status byte the host is told. */
export class WireError extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`st-link status 0x${status.toString(16)}`);
    this.status = status;
  }
}

/** The probe's firmware between its commands and the wire: WAIT retries, SELECT, blocks of memory. */
export class ProbeDap {
  /** Where the block in progress, or the last one, has got to. */
  blockAddress = 0;
  readonly #swd: SwdHost;
  #select: number | undefined;

  constructor(swd: SwdHost) {
    this.#swd = swd;
  }

  /** Takes the line, clears old errors and powers the debug domain. */
  connect(): void {
    this.#select = undefined;
    this.#swd.overrunDetect = false;
    this.#swd.connect();
    this.#read(false, DPIDR);
    this.#write(false, ABORT, CLEAR_STICKY);
    this.#selectBank(0);
    this.#write(false, CTRL_STAT, CDBGPWRUPREQ | CSYSPWRUPREQ);
  }

  idle(): void {
    this.#swd.idle();
  }

  /** Best effort: the error that made it necessary has already been reported. */
  clearSticky(): void {
    this.#swd.write(false, ABORT, CLEAR_STICKY);
  }

  /** Bits 7 to 4 of a DP address are DPBANKSEL. */
  readDp(address: number): number {
    if (address < 0x10) return this.#read(false, address & 0xc);
    this.#selectBank((address >> 4) & 0xf);
    const value = this.#read(false, address & 0xc);
    this.#selectBank(0);
    return value;
  }

  writeDp(address: number, value: number): void {
    this.#write(false, address & 0xc, value);
    if (address === SELECT) this.#select = value >>> 0;
    if (address === CTRL_STAT) this.#swd.overrunDetect = (value & ORUNDETECT) !== 0;
  }

  readAp(apsel: number, address: number): number {
    this.#selectBank(apBank(apsel, address));
    this.#read(true, address & 0xc);
    return this.#read(false, RDBUFF);
  }

  writeAp(apsel: number, address: number, value: number): void {
    this.#selectBank(apBank(apsel, address));
    this.#write(true, address & 0xc, value);
  }

  writeBlock(command: MemoryCommand, apsel: number, csw: number, start: number, data: DataView): void {
    const { width, increment } = command;
    this.#beginBlock(command, apsel, csw, start);
    for (let i = 0; i + width <= data.byteLength; i += width) {
      const address = increment ? start + i : start;
      if (i === 0 || (increment && address % TAR_BLOCK === 0)) this.#write(true, TAR, address);
      this.blockAddress = address;
      this.#write(true, DRW, toLane(data, i, address, width));
    }
    // The last write is posted: only the next answer tells whether it worked (ADIv5.2 B4.2.2).
    this.#read(false, RDBUFF);
  }

  readBlock(command: MemoryCommand, apsel: number, csw: number, start: number, into: DataView): void {
    const { width, increment } = command;
    this.#beginBlock(command, apsel, csw, start);
    const addressAt = (i: number) => (increment ? start + i : start);
    for (let i = 0; i + width <= into.byteLength; ) {
      const room = increment ? TAR_BLOCK - (addressAt(i) % TAR_BLOCK) : into.byteLength;
      const end = Math.min(i + room, into.byteLength - (into.byteLength % width));
      this.#write(true, TAR, addressAt(i));
      // Reads are posted: each brings the value of the one before, RDBUFF the last.
      this.#read(true, DRW);
      for (; i < end; i += width) {
        this.blockAddress = addressAt(i);
        const last = i + width >= end;
        fromLane(into, i, addressAt(i), width, last ? this.#read(false, RDBUFF) : this.#read(true, DRW));
      }
    }
  }

  #beginBlock({ width, increment }: MemoryCommand, apsel: number, csw: number, start: number): void {
    this.blockAddress = start;
    this.#selectBank(apBank(apsel, CSW));
    this.#write(true, CSW, (csw || DEFAULT_CSW) | (increment ? ADDRINC_SINGLE : 0) | SIZE[width]);
  }

  #selectBank(select: number): void {
    if (this.#select === select) return;
    this.#select = undefined;
    this.#write(false, SELECT, select);
    this.#select = select;
  }

  #read(ap: boolean, address: number): number {
    let outcome = this.#swd.read(ap, address);
    for (let retry = 0; outcome === ACK_WAIT && retry < WAIT_RETRIES; retry++)
      outcome = this.#swd.read(ap, address);
    if (outcome !== ACK_OK) throw wireError(ap, outcome);
    return this.#swd.data;
  }

  #write(ap: boolean, address: number, value: number): void {
    let outcome = this.#swd.write(ap, address, value);
    for (let retry = 0; outcome === ACK_WAIT && retry < WAIT_RETRIES; retry++) {
      outcome = this.#swd.write(ap, address, value);
    }
    if (outcome !== ACK_OK) throw wireError(ap, outcome);
  }
}

function wireError(ap: boolean, outcome: number): WireError {
  const status = ap ? STATUS_AP_WAIT : STATUS_DP_WAIT;
  if (outcome === ACK_WAIT) return new WireError(status);
  if (outcome === ACK_FAULT) return new WireError(status + FAULT_INSTEAD);
  return new WireError(status + (outcome === BAD_PARITY ? PARITY_INSTEAD : ERROR_INSTEAD));
}

function apBank(apsel: number, address: number): number {
  return ((apsel << 24) | (address & 0xf0)) >>> 0;
}

/** The host sends packed bytes; on the wire each sits in the byte lane of its address. */
function toLane(data: DataView, i: number, address: number, width: 1 | 2 | 4): number {
  if (width === 4) return data.getInt32(i, true);
  const value = width === 2 ? data.getUint16(i, true) : data.getUint8(i);
  return value << (8 * (address & 3));
}

function fromLane(into: DataView, i: number, address: number, width: 1 | 2 | 4, word: number): void {
  if (width === 4) into.setInt32(i, word, true);
  else if (width === 2) into.setUint16(i, (word >> (8 * (address & 2))) & 0xffff, true);
  else into.setUint8(i, (word >> (8 * (address & 3))) & 0xff);
}
