import type { Bus, Width } from './bus.ts';
import { BusFault } from './bus.ts';
import { decodeWide, type Wide } from './thumb-wide.ts';

// The 16-bit Thumb instructions, BL, and the 32-bit ones of thumb-wide.ts, which is what OpenOCD's loaders are made of
// (ARMv7-M ARM A5.2, A7.7); all others are undefined here. The cases below are the top five bits of the encoding.

/** Why `run` came back. */
export type Stop = 'budget' | 'spinning' | 'left RAM' | 'breakpoint' | 'undefined' | BusFault;

export const SP = 13;
const LR = 14;
export const PC = 15;

// A core that waits in a loop for the debugger would burn its whole budget: after this many backward
// branches the loop is watched for one round, and left if nothing at all changed in it.
const LOOPS_BEFORE_WATCH = 200;

export class Thumb {
  /** R0 … R15; the PC is the address of the next instruction. */
  readonly registers = new Int32Array(16);
  /** Instructions retired since power-on of the process. */
  instructions = 0;

  readonly #bus: Bus;
  readonly #codeBase: number;
  readonly #code: DataView;
  // N is the sign of #n, Z is #z being 0; C and V are 0 or 1.
  #n = 0;
  #z = 1;
  #c = 0;
  #v = 0;
  // ITSTATE (A7.3.2): condition and mask of the instructions that an IT makes conditional; 0 outside.
  #it = 0;
  #stop: Stop = 'budget';
  #activity = 0;
  #loops = 0;
  #watched = -1;
  readonly #watchedRegisters = new Int32Array(17);
  #watchedActivity = 0;

  /** `run` goes on only while the PC is inside `code`, the RAM the debugger loads algorithms into. */
  constructor(bus: Bus, codeBase: number, code: Uint8Array) {
    this.#bus = bus;
    this.#codeBase = codeBase;
    this.#code = new DataView(code.buffer, code.byteOffset, code.byteLength);
  }

  /** APSR as in xPSR[31:28]. */
  get flags(): number {
    return (this.#n & 0x80000000) | (this.#z === 0 ? 1 << 30 : 0) | (this.#c << 29) | (this.#v << 28);
  }

  /** Ends an IT block too, as a debugger that writes xPSR does. */
  set flags(apsr: number) {
    this.#it = 0;
    this.#n = apsr & 0x80000000;
    this.#z = apsr & (1 << 30) ? 0 : 1;
    this.#c = (apsr >> 29) & 1;
    this.#v = (apsr >> 28) & 1;
  }

  run(budget: number): Stop {
    this.#stop = 'budget';
    this.#watched = -1;
    let left = budget;
    try {
      while (left > 0) {
        const pc = this.#get(PC);
        const offset = (pc - this.#codeBase) >>> 0;
        if (offset >= this.#code.byteLength) return 'left RAM';
        left--;
        this.#next(this.#code.getUint16(offset, true), pc);
        if (this.#stop !== 'budget') return this.#stop;
      }
      return 'budget';
    } catch (error) {
      if (error instanceof BusFault) return error;
      throw error;
    } finally {
      this.instructions += budget - left;
    }
  }

  /** One instruction, wherever the PC is. */
  step(): Stop {
    this.#stop = 'budget';
    this.#watched = -1;
    try {
      const pc = this.#get(PC);
      this.#next(this.#bus.read(pc >>> 0, 2), pc);
      this.instructions++;
      return this.#stop;
    } catch (error) {
      if (error instanceof BusFault) return error;
      throw error;
    }
  }

  // The index is four bits of an encoding, or a constant below 16.
  #get(n: number): number {
    return this.registers[n] as number;
  }

  #set(n: number, value: number): void {
    this.registers[n] = value;
  }

  #next(code: number, pc: number): void {
    if (this.#it === 0) this.#execute(code, pc);
    else this.#conditional(code, pc);
  }

  /** In an IT block only a comparison sets flags; what does not hold is passed over (A7.3.3). */
  #conditional(code: number, pc: number): void {
    const condition = this.#it >> 4;
    this.#it = this.#it & 7 ? (this.#it & 0xe0) | ((this.#it << 1) & 0x1f) : 0;
    const wide = code >>> 11 > 0b11100;
    if (!this.#holds(condition)) return this.#set(PC, pc + (wide ? 4 : 2));
    const [n, z, c, v] = [this.#n, this.#z, this.#c, this.#v];
    this.#execute(code, pc);
    if (!wide && !compares(code)) [this.#n, this.#z, this.#c, this.#v] = [n, z, c, v];
  }

  #execute(code: number, pc: number): void {
    this.#set(PC, pc + 2);
    const low = code & 7;
    const mid = (code >> 3) & 7;
    const high = (code >> 8) & 7;
    const imm5 = (code >> 6) & 31;
    const imm8 = code & 255;
    switch (code >>> 11) {
      case 0b00000:
        this.#setNz(low, imm5 === 0 ? this.#get(mid) : this.#lsl(this.#get(mid), imm5));
        return;
      case 0b00001:
        this.#setNz(low, this.#lsr(this.#get(mid), imm5 === 0 ? 32 : imm5));
        return;
      case 0b00010:
        this.#setNz(low, this.#asr(this.#get(mid), imm5 === 0 ? 32 : imm5));
        return;
      case 0b00011: {
        const operand = code & 0x400 ? imm5 & 7 : this.#get(imm5 & 7);
        this.#set(
          low,
          code & 0x200 ? this.#sub(this.#get(mid), operand) : this.#add(this.#get(mid), operand),
        );
        return;
      }
      case 0b00100:
        this.#setNz(high, imm8);
        return;
      case 0b00101:
        this.#sub(this.#get(high), imm8);
        return;
      case 0b00110:
        this.#set(high, this.#add(this.#get(high), imm8));
        return;
      case 0b00111:
        this.#set(high, this.#sub(this.#get(high), imm8));
        return;
      case 0b01000:
        if (code & 0x400) this.#highRegisters(code, pc);
        else this.#dataProcessing((code >> 6) & 15, low, mid);
        return;
      case 0b01001:
        this.#set(high, this.#load(((pc + 4) & ~3) + 4 * imm8, 4));
        return;
      case 0b01010:
      case 0b01011:
        this.#registerOffset((code >> 9) & 7, low, this.#get(mid) + this.#get(imm5 & 7));
        return;
      case 0b01100:
        this.#store(this.#get(mid) + 4 * imm5, this.#get(low), 4);
        return;
      case 0b01101:
        this.#set(low, this.#load(this.#get(mid) + 4 * imm5, 4));
        return;
      case 0b01110:
        this.#store(this.#get(mid) + imm5, this.#get(low), 1);
        return;
      case 0b01111:
        this.#set(low, this.#load(this.#get(mid) + imm5, 1));
        return;
      case 0b10000:
        this.#store(this.#get(mid) + 2 * imm5, this.#get(low), 2);
        return;
      case 0b10001:
        this.#set(low, this.#load(this.#get(mid) + 2 * imm5, 2));
        return;
      case 0b10010:
        this.#store(this.#get(SP) + 4 * imm8, this.#get(high), 4);
        return;
      case 0b10011:
        this.#set(high, this.#load(this.#get(SP) + 4 * imm8, 4));
        return;
      case 0b10100:
        this.#set(high, ((pc + 4) & ~3) + 4 * imm8);
        return;
      case 0b10101:
        this.#set(high, this.#get(SP) + 4 * imm8);
        return;
      case 0b10110:
      case 0b10111:
        this.#miscellaneous(code, pc);
        return;
      case 0b11000:
        this.#storeMultiple(high, imm8);
        return;
      case 0b11001:
        this.#loadMultiple(high, imm8);
        return;
      case 0b11010:
      case 0b11011:
        this.#conditionalBranch((code >> 8) & 15, pc + 4 + ((code << 24) >> 23), pc);
        return;
      case 0b11100:
        this.#branch(pc + 4 + ((code << 21) >> 20), pc);
        return;
      default:
        this.#wide(code, this.#load(pc + 2, 2), pc);
    }
  }

  #wide(first: number, second: number, pc: number): void {
    if ((first & 0xf800) === 0xf000 && (second & 0xd000) === 0xd000)
      return this.#branchWithLink(first, second, pc);
    const wide = decodeWide(first, second);
    if (!wide) {
      this.#stop = 'undefined';
      return;
    }
    this.#set(PC, pc + 4);
    if (wide.kind === 'data') this.#immediateProcessing(wide);
    else if (wide.kind === 'memory') this.#immediateOffset(wide);
  }

  // A5.3.1: the results that go nowhere are TST, TEQ, CMN and CMP; without a first operand it is MOV or MVN.
  #immediateProcessing({
    operation,
    setFlags,
    d,
    n,
    immediate,
    carry,
  }: Extract<Wide, { kind: 'data' }>): void {
    const before = [this.#n, this.#z, this.#c, this.#v] as const;
    const a = n === PC ? 0 : this.#get(n);
    const result = this.#compute(operation, a, immediate, carry);
    if (result === undefined) this.#stop = 'undefined';
    else if (d !== PC) this.#set(d, result);
    if (!setFlags) [this.#n, this.#z, this.#c, this.#v] = before;
  }

  #compute(operation: number, a: number, b: number, carry: number | undefined): number | undefined {
    switch (operation) {
      case 0:
        return this.#logical(a & b, carry);
      case 1:
        return this.#logical(a & ~b, carry);
      case 2:
        return this.#logical(a | b, carry);
      case 3:
        return this.#logical(a | ~b, carry);
      case 4:
        return this.#logical(a ^ b, carry);
      case 8:
        return this.#add(a, b);
      case 10:
        return this.#addWithCarry(a, b, this.#c);
      case 11:
        return this.#addWithCarry(a, ~b, this.#c);
      case 13:
        return this.#sub(a, b);
      case 14:
        return this.#sub(b, a);
      default:
        return undefined;
    }
  }

  #logical(result: number, carry: number | undefined): number {
    this.#flagsOf(result);
    this.#c = carry ?? this.#c;
    return result;
  }

  #immediateOffset({
    load,
    width,
    signed,
    t,
    n,
    offset,
    index,
    writeBack,
  }: Extract<Wide, { kind: 'memory' }>): void {
    const base = this.#get(n);
    const address = index ? base + offset : base;
    if (load) {
      const value = this.#load(address, width);
      const unused = 32 - 8 * width;
      this.#set(t, signed ? (value << unused) >> unused : value);
    } else this.#store(address, this.#get(t), width);
    if (writeBack) this.#set(n, base + offset);
  }

  // A5.2.2
  #dataProcessing(operation: number, d: number, m: number): void {
    const a = this.#get(d);
    const b = this.#get(m);
    switch (operation) {
      case 0:
        return this.#setNz(d, a & b);
      case 1:
        return this.#setNz(d, a ^ b);
      case 2:
        return this.#setNz(d, this.#lsl(a, b & 255));
      case 3:
        return this.#setNz(d, this.#lsr(a, b & 255));
      case 4:
        return this.#setNz(d, this.#asr(a, b & 255));
      case 5:
        return this.#set(d, this.#addWithCarry(a, b, this.#c));
      case 6:
        return this.#set(d, this.#addWithCarry(a, ~b, this.#c));
      case 7:
        return this.#setNz(d, this.#ror(a, b & 255));
      case 8:
        return this.#flagsOf(a & b);
      case 9:
        return this.#set(d, this.#sub(0, b));
      case 10:
        this.#sub(a, b);
        return;
      case 11:
        this.#add(a, b);
        return;
      case 12:
        return this.#setNz(d, a | b);
      case 13:
        return this.#setNz(d, Math.imul(a, b));
      case 14:
        return this.#setNz(d, a & ~b);
      default:
        return this.#setNz(d, ~b);
    }
  }

  // A5.2.3: ADD, CMP, MOV on all registers, BX, BLX
  #highRegisters(code: number, pc: number): void {
    const d = (code & 7) | ((code >> 4) & 8);
    const m = (code >> 3) & 15;
    const b = m === PC ? pc + 4 : this.#get(m);
    const a = d === PC ? pc + 4 : this.#get(d);
    switch ((code >> 8) & 3) {
      case 0:
        return this.#setOrBranch(d, (a + b) | 0, pc);
      case 1:
        this.#sub(a, b);
        return;
      case 2:
        return this.#setOrBranch(d, b, pc);
      default:
        if (code & 0x80) this.#set(LR, (pc + 2) | 1);
        return this.#branchExchange(b, pc);
    }
  }

  #setOrBranch(d: number, value: number, pc: number): void {
    if (d === PC) this.#branch(value & ~1, pc);
    else this.#set(d, d === SP ? value & ~3 : value);
  }

  /** There is no ARM state: a target without the Thumb bit is a UsageFault (A4.1.1). */
  #branchExchange(target: number, pc: number): void {
    if (target & 1) this.#branch(target & ~1, pc);
    else this.#stop = 'undefined';
  }

  // A5.2.4
  #registerOffset(operation: number, t: number, address: number): void {
    switch (operation) {
      case 0:
        return this.#store(address, this.#get(t), 4);
      case 1:
        return this.#store(address, this.#get(t), 2);
      case 2:
        return this.#store(address, this.#get(t), 1);
      case 3:
        return this.#set(t, (this.#load(address, 1) << 24) >> 24);
      case 4:
        return this.#set(t, this.#load(address, 4));
      case 5:
        return this.#set(t, this.#load(address, 2));
      case 6:
        return this.#set(t, this.#load(address, 1));
      default:
        return this.#set(t, (this.#load(address, 2) << 16) >> 16);
    }
  }

  // A5.2.5
  #miscellaneous(code: number, pc: number): void {
    const low = code & 7;
    const value = this.#get((code >> 3) & 7);
    const imm7 = 4 * (code & 0x7f);
    switch ((code >> 8) & 15) {
      case 0b0000:
        return this.#set(SP, this.#get(SP) + (code & 0x80 ? -imm7 : imm7));
      case 0b0001:
      case 0b0011:
      case 0b1001:
      case 0b1011:
        return this.#compareAndBranch(code, pc);
      case 0b0010:
        return this.#set(low, extend((code >> 6) & 3, value));
      case 0b0100:
      case 0b0101:
        return this.#push(code & 0xff, (code & 0x100) !== 0);
      case 0b1010:
        return this.#reverse((code >> 6) & 3, low, value);
      case 0b1100:
      case 0b1101:
        return this.#pop(code & 0xff, (code & 0x100) !== 0, pc);
      case 0b1110:
        this.#set(PC, pc);
        this.#stop = 'breakpoint';
        return;
      case 0b1111:
        // NOP, YIELD, WFE, WFI and SEV all do nothing here; a non-zero mask is IT.
        if (code & 15) this.#it = code & 0xff;
        return;
      default:
        // CPS: there are no interrupts to mask.
        if ((code & 0xffe8) !== 0xb660) this.#stop = 'undefined';
    }
  }

  #compareAndBranch(code: number, pc: number): void {
    const zero = this.#get(code & 7) === 0;
    const wantZero = (code & 0x800) === 0;
    if (zero === wantZero) this.#branch(pc + 4 + (((code >> 2) & 0x3e) | ((code >> 3) & 0x40)), pc);
  }

  #reverse(kind: number, d: number, value: number): void {
    const swapped = ((value & 0xff00ff) << 8) | ((value >>> 8) & 0xff00ff);
    if (kind === 0) this.#set(d, (swapped << 16) | (swapped >>> 16));
    else if (kind === 1) this.#set(d, swapped);
    else if (kind === 3) this.#set(d, (swapped << 16) >> 16);
    else this.#stop = 'undefined';
  }

  #push(list: number, withLr: boolean): void {
    let address = this.#get(SP) - 4 * (countOnes(list) + (withLr ? 1 : 0));
    this.#set(SP, address);
    for (let n = 0; n < 8; n++) {
      if ((list & (1 << n)) === 0) continue;
      this.#store(address, this.#get(n), 4);
      address += 4;
    }
    if (withLr) this.#store(address, this.#get(LR), 4);
  }

  #pop(list: number, withPc: boolean, pc: number): void {
    let address = this.#get(SP);
    for (let n = 0; n < 8; n++) {
      if ((list & (1 << n)) === 0) continue;
      this.#set(n, this.#load(address, 4));
      address += 4;
    }
    const target = withPc ? this.#load(address, 4) : 0;
    this.#set(SP, withPc ? address + 4 : address);
    if (withPc) this.#branchExchange(target, pc);
  }

  #storeMultiple(n: number, list: number): void {
    let address = this.#get(n);
    for (let t = 0; t < 8; t++) {
      if ((list & (1 << t)) === 0) continue;
      this.#store(address, this.#get(t), 4);
      address += 4;
    }
    this.#set(n, address);
  }

  /** No write-back when the base register is loaded too (A7.7.40). */
  #loadMultiple(n: number, list: number): void {
    let address = this.#get(n);
    for (let t = 0; t < 8; t++) {
      if ((list & (1 << t)) === 0) continue;
      this.#set(t, this.#load(address, 4));
      address += 4;
    }
    if ((list & (1 << n)) === 0) this.#set(n, address);
  }

  #conditionalBranch(condition: number, target: number, pc: number): void {
    if (condition >= 14) this.#stop = 'undefined';
    else if (this.#holds(condition)) this.#branch(target, pc);
  }

  // A7.3.1
  #holds(condition: number): boolean {
    switch (condition) {
      case 0:
        return this.#z === 0;
      case 1:
        return this.#z !== 0;
      case 2:
        return this.#c === 1;
      case 3:
        return this.#c === 0;
      case 4:
        return this.#n < 0;
      case 5:
        return this.#n >= 0;
      case 6:
        return this.#v === 1;
      case 7:
        return this.#v === 0;
      case 8:
        return this.#c === 1 && this.#z !== 0;
      case 9:
        return this.#c === 0 || this.#z === 0;
      case 10:
        return this.#n < 0 === (this.#v === 1);
      case 11:
        return this.#n < 0 !== (this.#v === 1);
      case 12:
        return this.#z !== 0 && this.#n < 0 === (this.#v === 1);
      default:
        return this.#z === 0 || this.#n < 0 !== (this.#v === 1);
    }
  }

  // BL (A7.7.18): the second halfword is 11x1.
  #branchWithLink(code: number, second: number, pc: number): void {
    const s = (code >> 10) & 1;
    const i1 = ~((second >> 13) ^ s) & 1;
    const i2 = ~((second >> 11) ^ s) & 1;
    const imm = (s << 24) | (i1 << 23) | (i2 << 22) | ((code & 0x3ff) << 12) | ((second & 0x7ff) << 1);
    this.#set(LR, (pc + 4) | 1);
    this.#branch(pc + 4 + ((imm << 7) >> 7), pc);
  }

  #branch(target: number, pc: number): void {
    this.#set(PC, target);
    if (target <= pc) this.#loop(target);
  }

  #loop(target: number): void {
    if (this.#watched === -1) {
      if (++this.#loops % LOOPS_BEFORE_WATCH === 0) this.#watch(target);
    } else if (this.#watched === target && this.#unchanged()) this.#stop = 'spinning';
    else this.#watched = -1;
  }

  #watch(target: number): void {
    this.#watched = target;
    this.#watchedActivity = this.#activity;
    this.#watchedRegisters.set(this.registers);
    this.#watchedRegisters[16] = this.flags;
  }

  #unchanged(): boolean {
    if (this.#activity !== this.#watchedActivity || this.#watchedRegisters[16] !== this.flags) return false;
    return this.registers.every((value, n) => value === this.#watchedRegisters[n]);
  }

  /** Outside RAM a read may have a side effect or change by itself, so it counts as activity. */
  #load(address: number, width: Width): number {
    const offset = (address - this.#codeBase) >>> 0;
    if (offset + width <= this.#code.byteLength) {
      if (width === 4) return this.#code.getInt32(offset, true);
      return width === 1 ? this.#code.getUint8(offset) : this.#code.getUint16(offset, true);
    }
    this.#activity++;
    return this.#bus.read(address >>> 0, width);
  }

  /** In RAM only a store that changes something counts; a peripheral refreshed in a loop does not. */
  #store(address: number, value: number, width: Width): void {
    const offset = (address - this.#codeBase) >>> 0;
    if (offset + width > this.#code.byteLength) {
      this.#bus.write(address >>> 0, value, width);
      return;
    }
    if (this.#load(address, width) === value) return;
    this.#activity++;
    this.#bus.write(address >>> 0, value, width);
  }

  #flagsOf(result: number): void {
    this.#n = result;
    this.#z = result;
  }

  #setNz(d: number, result: number): void {
    this.registers[d] = result;
    this.#n = result;
    this.#z = result;
  }

  #add(a: number, b: number): number {
    return this.#addWithCarry(a, b, 0);
  }

  #sub(a: number, b: number): number {
    return this.#addWithCarry(a, ~b, 1);
  }

  // AddWithCarry (D6.5.4): carry out of bit 31 is the majority of a, b and NOT result there.
  #addWithCarry(a: number, b: number, carry: number): number {
    const result = (a + b + carry) | 0;
    this.#n = result;
    this.#z = result;
    this.#c = ((a & b) | ((a | b) & ~result)) >>> 31;
    this.#v = ((a ^ result) & (b ^ result)) >>> 31;
    return result;
  }

  // Shifts by a register can be 0 … 255 and leave the carry alone when 0 (A2.2.1).
  #lsl(value: number, n: number): number {
    if (n === 0) return value;
    this.#c = n <= 32 ? (value >>> (32 - n)) & 1 : 0;
    return n < 32 ? value << n : 0;
  }

  #lsr(value: number, n: number): number {
    if (n === 0) return value;
    this.#c = n <= 32 ? (value >>> (n - 1)) & 1 : 0;
    return n < 32 ? (value >>> n) | 0 : 0;
  }

  #asr(value: number, n: number): number {
    if (n === 0) return value;
    this.#c = (value >> Math.min(n - 1, 31)) & 1;
    return value >> Math.min(n, 31);
  }

  #ror(value: number, n: number): number {
    if (n === 0) return value;
    const result = (value >>> (n & 31)) | (value << ((32 - n) & 31));
    this.#c = result >>> 31;
    return result;
  }
}

/** CMP, CMN and TST among the 16-bit encodings. */
function compares(code: number): boolean {
  const operation = code >> 6;
  return code >>> 11 === 0b00101 || [0x108, 0x10a, 0x10b].includes(operation) || code >>> 8 === 0x45;
}

/** SXTH, SXTB, UXTH, UXTB. */
function extend(kind: number, value: number): number {
  if (kind === 0) return (value << 16) >> 16;
  if (kind === 1) return (value << 24) >> 24;
  return kind === 2 ? value & 0xffff : value & 0xff;
}

function countOnes(list: number): number {
  let ones = 0;
  for (let bits = list; bits !== 0; bits &= bits - 1) ones++;
  return ones;
}
