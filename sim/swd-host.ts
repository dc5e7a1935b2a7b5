import { ACK_OK } from './debug-port.ts';
import { RELEASED } from './swd-target.ts';

/** The wire: one call is one SWCLK cycle, see SwdTarget.clock. */
interface SwdLine {
  clock(driven: number): number;
}

/** Read data whose parity is wrong: not an ACK of the wire, but an outcome beside them. */
export const BAD_PARITY = 0b1000;

/** The probe's end of the wire: bits out, bits in, nothing retried. */
export class SwdHost {
  /** What the last read with ACK OK returned, int32. */
  data = 0;
  /** CTRL/STAT.ORUNDETECT is set in the target: every answer has a data phase. */
  overrunDetect = false;
  readonly #line: SwdLine;

  constructor(line: SwdLine) {
    this.#line = line;
  }

  /** Line reset, JTAG-to-SWD, line reset, idle: ADIv5.2 B5.2.2. */
  connect(): void {
    this.lineReset();
    this.#send(0xe79e, 16);
    this.lineReset();
    this.idle();
  }

  lineReset(): void {
    this.#send(-1, 32);
    this.#send(-1, 24);
  }

  /** Eight cycles let a posted write finish before the clock stops (B4.1.1). */
  idle(): void {
    this.#send(0, 8);
  }

  read(ap: boolean, address: number): number {
    const ack = this.#request(ap, true, address);
    if (ack !== ACK_OK && !this.overrunDetect) {
      this.#line.clock(RELEASED);
      return ack;
    }
    const good = this.#receiveWord();
    this.#line.clock(RELEASED);
    return ack === ACK_OK && !good ? BAD_PARITY : ack;
  }

  write(ap: boolean, address: number, value: number): number {
    const ack = this.#request(ap, false, address);
    this.#line.clock(RELEASED);
    if (ack === ACK_OK || this.overrunDetect) this.#sendWord(value);
    return ack;
  }

  #request(ap: boolean, read: boolean, address: number): number {
    this.#send(requestByte(ap, read, address), 8);
    this.#line.clock(RELEASED);
    const line = this.#line;
    return line.clock(RELEASED) | (line.clock(RELEASED) << 1) | (line.clock(RELEASED) << 2);
  }

  #send(bits: number, count: number): void {
    for (let i = 0; i < count; i++) this.#line.clock((bits >>> i) & 1);
  }

  #sendWord(value: number): void {
    let parity = 0;
    for (let i = 0; i < 32; i++) {
      const level = (value >>> i) & 1;
      parity ^= level;
      this.#line.clock(level);
    }
    this.#line.clock(parity);
  }

  #receiveWord(): boolean {
    let word = 0;
    let parity = 0;
    for (let i = 0; i < 32; i++) {
      const level = this.#line.clock(RELEASED);
      parity ^= level;
      word |= level << i;
    }
    this.data = word;
    return this.#line.clock(RELEASED) === parity;
  }
}

/** The packet request, LSB first: start 1, APnDP, RnW, A[2:3], parity, stop 0, park 1 (B4.2). */
export function requestByte(ap: boolean, read: boolean, address: number): number {
  const body = (ap ? 1 : 0) | (read ? 2 : 0) | (address & 0xc);
  const parity = (body ^ (body >> 1) ^ (body >> 2) ^ (body >> 3)) & 1;
  return 0x81 | (body << 1) | (parity << 5);
}
