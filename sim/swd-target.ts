import { ACK_OK, type DebugPort, DPIDR } from './debug-port.ts';
import type { Faults } from './faults.ts';

/** What the host does with SWDIO in one clock cycle: drives 0, drives 1, or lets go. */
export const RELEASED = -1;

// Where the target is in a packet (ADIv5.2 B4.2).
const JTAG = 0; // SWJ-DP after power-on: SWDIO is TMS
const DEAF = 1; // after a protocol error: only a line reset helps
const IDLE = 2;
const REQUEST = 3;
const TURN_TO_ACK = 4;
const ACK = 5;
const READ_DATA = 6;
const TURN_TO_IDLE = 7;
const TURN_TO_WRITE = 8;
const WRITE_DATA = 9;

const LINE_RESET_ONES = 50; // B4.3.3
const JTAG_TO_SWD = 0xe79e; // B5.2.2, sent LSB first
const SWD_TO_JTAG = 0xe73c;

/** The target's end of the wire, one call per SWCLK cycle. Turnaround is one cycle. */
export class SwdTarget {
  readonly #dp: DebugPort;
  readonly #answers: () => boolean;
  readonly #faults: Faults;
  #phase = JTAG;
  #bit = 0;
  #shift = 0;
  #parity = 0;
  #ones = 0;
  #switchBit = 0;
  #switchShift = 0;
  #afterLineReset = false;
  #ap = false;
  #read = false;
  #address = 0;
  #ack = 0;

  /** `answers` is false for a chip that has taken its debug port away. */
  constructor(dp: DebugPort, answers: () => boolean, faults: Faults) {
    this.#dp = dp;
    this.#answers = answers;
    this.#faults = faults;
  }

  powerOn(): void {
    this.#phase = JTAG;
    this.#ones = 0;
    this.#switchBit = 0;
    this.#dp.powerOn();
  }

  /** One clock cycle; the result is the level the host samples in it. A line nobody drives is pulled up. */
  clock(driven: number): number {
    if (!this.#faults.connected || !this.#answers()) return 1;
    if (this.#phase === ACK) return this.#driveAck();
    if (this.#phase === READ_DATA) return this.#driveData();
    const level = driven === RELEASED ? 1 : driven;
    this.#sample(level);
    return level;
  }

  #sample(level: number): void {
    if (this.#switchBit > 0) this.#watchSwitch(level);
    if (level === 1) {
      if (++this.#ones === LINE_RESET_ONES) return this.#lineReset();
    } else {
      if (this.#ones >= LINE_RESET_ONES) this.#beginSwitch();
      this.#ones = 0;
    }
    switch (this.#phase) {
      case IDLE:
        if (level === 1 && this.#ones < LINE_RESET_ONES) this.#beginRequest();
        break;
      case REQUEST:
        this.#request(level);
        break;
      case TURN_TO_ACK:
        this.#begin(ACK);
        break;
      case TURN_TO_WRITE:
        this.#begin(WRITE_DATA);
        break;
      case TURN_TO_IDLE:
        this.#phase = IDLE;
        break;
      case WRITE_DATA:
        this.#writeData(level);
        break;
    }
  }

  #begin(phase: number): void {
    this.#phase = phase;
    this.#bit = 0;
    this.#parity = 0;
    if (phase === WRITE_DATA) this.#shift = 0;
  }

  #lineReset(): void {
    if (this.#phase === JTAG) return;
    this.#phase = IDLE;
    this.#afterLineReset = true;
  }

  /** A zero after a line reset may be bit 0 of a switch sequence; it is idle to the packet decoder. */
  #beginSwitch(): void {
    this.#switchBit = 1;
    this.#switchShift = 0;
  }

  #watchSwitch(level: number): void {
    this.#switchShift |= level << this.#switchBit;
    if (++this.#switchBit < 16) return;
    this.#switchBit = 0;
    if (this.#switchShift === JTAG_TO_SWD) this.#phase = DEAF;
    if (this.#switchShift === SWD_TO_JTAG) this.#phase = JTAG;
  }

  #beginRequest(): void {
    this.#phase = REQUEST;
    this.#bit = 1;
    this.#shift = 1;
  }

  /** Start, APnDP, RnW, A[2:3], parity, stop, park. */
  #request(level: number): void {
    this.#shift |= level << this.#bit;
    if (++this.#bit < 8) return;
    const request = this.#shift;
    this.#ap = (request & 2) !== 0;
    this.#read = (request & 4) !== 0;
    this.#address = (request >> 1) & 0xc;
    const ones = (request >> 1) ^ (request >> 2) ^ (request >> 3) ^ (request >> 4) ^ (request >> 5);
    const valid = (ones & 1) === 0 && (request & 0xc0) === 0x80;
    // The first request after a line reset has to read DPIDR (B4.3.3).
    const expected = !this.#afterLineReset || (!this.#ap && this.#read && this.#address === DPIDR);
    if (!valid || !expected) {
      this.#phase = DEAF;
      return;
    }
    this.#afterLineReset = false;
    this.#ack = this.#dp.acknowledge(this.#ap, this.#read, this.#address);
    this.#phase = TURN_TO_ACK;
  }

  #driveAck(): number {
    const level = (this.#ack >> this.#bit) & 1;
    if (++this.#bit < 3) return level;
    // Without a data phase after WAIT and FAULT, unless ORUNDETECT asks for one always (B4.2.3).
    if (this.#ack !== ACK_OK && !this.#dp.overrunDetect) this.#phase = TURN_TO_IDLE;
    else if (this.#read) {
      this.#begin(READ_DATA);
      this.#shift = this.#ack === ACK_OK ? this.#dp.read(this.#ap, this.#address) : 0;
    } else this.#phase = TURN_TO_WRITE;
    return level;
  }

  #driveData(): number {
    if (this.#bit === 32) {
      this.#phase = TURN_TO_IDLE;
      return this.#wrongParity() ? this.#parity ^ 1 : this.#parity;
    }
    const level = (this.#shift >>> this.#bit++) & 1;
    this.#parity ^= level;
    return level;
  }

  #wrongParity(): boolean {
    if (this.#faults.wrongParities === 0) return false;
    this.#faults.wrongParities--;
    return true;
  }

  #writeData(level: number): void {
    if (this.#bit < 32) {
      this.#shift |= level << this.#bit++;
      this.#parity ^= level;
      return;
    }
    this.#phase = IDLE;
    if (this.#ack !== ACK_OK) return;
    if (this.#parity === level) this.#dp.write(this.#ap, this.#address, this.#shift);
    else this.#dp.writeDataError();
  }
}
