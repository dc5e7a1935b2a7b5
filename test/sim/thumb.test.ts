import { beforeEach, describe, expect, test } from 'vitest';
import { Bus, BusFault } from '../../sim/bus.ts';
import { Faults } from '../../sim/faults.ts';
import { Memory } from '../../sim/memory.ts';
import { PC, SP, Thumb } from '../../sim/thumb.ts';

const RAM = 0x20000000;
const DATA = RAM + 0x800;
const BKPT = 0xbe00;
const N = 8;
const Z = 4;
const C = 2;
const V = 1;

let ram: Memory;
let thumb: Thumb;

beforeEach(() => {
  ram = new Memory(RAM, 0x1000, 0);
  thumb = new Thumb(new Bus([ram], new Faults()), RAM, ram.bytes);
  thumb.registers[PC] = RAM;
  thumb.registers[SP] = RAM + 0x1000;
});

function load(...code: number[]): void {
  code.forEach((halfword, i) => ram.write(2 * i, halfword, 2));
}

/** Runs to the BKPT that is put after `code`. */
function run(registers: Record<number, number>, ...code: number[]): void {
  load(...code, BKPT);
  for (const [n, value] of Object.entries(registers)) thumb.registers[Number(n)] = value;
  expect(thumb.run(1000)).toBe('breakpoint');
}

const flags = () => thumb.flags >>> 28;

describe('arithmetic and flags (ARMv7-M ARM A7.7)', () => {
  // name, code, R0, R1, result in R0, NZCV
  test.each<[string, number, number, number, number, number]>([
    ['ADDS R0, R0, R1', 0x1840, 1, 2, 3, 0],
    ['ADDS R0, R0, R1', 0x1840, 0x7fffffff, 1, -0x80000000, N | V],
    ['ADDS R0, R0, R1', 0x1840, -1, 1, 0, Z | C],
    ['SUBS R0, R0, R1', 0x1a40, 5, 3, 2, C],
    ['SUBS R0, R0, R1', 0x1a40, 3, 5, -2, N],
    ['SUBS R0, R0, R1', 0x1a40, -0x80000000, 1, 0x7fffffff, C | V],
    ['ADDS R0, R0, #7', 0x1dc0, 1, 0, 8, 0],
    ['SUBS R0, R0, #7', 0x1fc0, 7, 0, 0, Z | C],
    ['ADDS R0, #255', 0x30ff, 1, 0, 256, 0],
    ['SUBS R0, #1', 0x3801, 0, 0, -1, N],
    ['MOVS R0, #128', 0x2080, 1, 0, 128, 0],
    ['CMP R0, #5', 0x2805, 5, 0, 5, Z | C],
    ['CMP R0, R1', 0x4288, 1, 2, 1, N],
    ['CMN R0, R1', 0x42c8, -1, 1, -1, Z | C],
    ['TST R0, R1', 0x4208, 0xf0, 0x0f, 0xf0, Z],
    ['ANDS R0, R1', 0x4008, 0xff, -0x10, 0xf0, 0],
    ['EORS R0, R1', 0x4048, -1, 1, -2, N],
    ['ORRS R0, R1', 0x4308, 0x0f, 0xf0, 0xff, 0],
    ['BICS R0, R1', 0x4388, 0xff, 0x0f, 0xf0, 0],
    ['MVNS R0, R1', 0x43c8, 0, 0, -1, N],
    ['MULS R0, R1', 0x4348, 0x10001, 0x10001, 0x20001, 0],
    ['RSBS R0, R1, #0', 0x4248, 0, 1, -1, N],
    ['ADCS R0, R1, carry clear', 0x4148, 1, 2, 3, 0],
    ['SBCS R0, R1, carry clear', 0x4188, 5, 3, 1, C],
    ['LSLS R0, R1, #1', 0x0048, 0, -0x80000000, 0, Z | C],
    ['MOVS R0, R1', 0x0008, 0, 5, 5, 0],
    ['LSRS R0, R1, #32', 0x0808, 9, -0x80000000, 0, Z | C],
    ['ASRS R0, R1, #32', 0x1008, 9, -0x80000000, -1, N | C],
    ['ASRS R0, R1, #4', 0x1108, 9, -16, -1, N],
    ['LSLS R0, R1 by 32', 0x4088, 1, 32, 0, Z | C],
    ['LSLS R0, R1 by 33', 0x4088, 1, 33, 0, Z],
    ['LSRS R0, R1 by 0', 0x40c8, -1, 0, -1, N],
    ['LSRS R0, R1 by 4', 0x40c8, 0x18, 4, 1, C],
    ['ASRS R0, R1 by 255', 0x4108, -1, 255, -1, N | C],
    ['RORS R0, R1 by 8', 0x41c8, 0x11223344, 8, 0x44112233, 0],
    ['RORS R0, R1 by 32', 0x41c8, -0x80000000, 32, -0x80000000, N | C],
    ['SXTB R0, R1', 0xb248, 0, 0x80, -128, 0],
    ['SXTH R0, R1', 0xb208, 0, 0x8000, -32768, 0],
    ['UXTB R0, R1', 0xb2c8, 0, 0x1ff, 0xff, 0],
    ['UXTH R0, R1', 0xb288, 0, 0x1ffff, 0xffff, 0],
    ['REV R0, R1', 0xba08, 0, 0x11223344, 0x44332211, 0],
    ['REV16 R0, R1', 0xba48, 0, 0x11223344, 0x22114433, 0],
    ['REVSH R0, R1', 0xbac8, 0, 0x11220080, -32768, 0],
    ['ADD R0, R1 (high form)', 0x4408, -1, 1, 0, 0],
    ['MOV R0, R1 (high form)', 0x4608, 0, -1, -1, 0],
  ])('%s', (_name, code, r0, r1, result, nzcv) => {
    thumb.flags = 0;
    run({ 0: r0, 1: r1 }, code);
    expect(thumb.registers[0]).toBe(result);
    expect(flags()).toBe(nzcv);
  });

  test('ADCS and SBCS take the carry', () => {
    thumb.flags = C << 28;
    run({ 0: 1, 1: 2 }, 0x4148);
    expect(thumb.registers[0]).toBe(4);
  });
});

describe('conditions (A7.3.1)', () => {
  const holdsFor: [string, number, (nzcv: number) => boolean][] = [
    ['EQ', 0, (f) => (f & Z) !== 0],
    ['NE', 1, (f) => (f & Z) === 0],
    ['CS', 2, (f) => (f & C) !== 0],
    ['CC', 3, (f) => (f & C) === 0],
    ['MI', 4, (f) => (f & N) !== 0],
    ['PL', 5, (f) => (f & N) === 0],
    ['VS', 6, (f) => (f & V) !== 0],
    ['VC', 7, (f) => (f & V) === 0],
    ['HI', 8, (f) => (f & C) !== 0 && (f & Z) === 0],
    ['LS', 9, (f) => (f & C) === 0 || (f & Z) !== 0],
    ['GE', 10, (f) => ((f & N) !== 0) === ((f & V) !== 0)],
    ['LT', 11, (f) => ((f & N) !== 0) !== ((f & V) !== 0)],
    ['GT', 12, (f) => (f & Z) === 0 && ((f & N) !== 0) === ((f & V) !== 0)],
    ['LE', 13, (f) => (f & Z) !== 0 || ((f & N) !== 0) !== ((f & V) !== 0)],
  ];
  test.each(holdsFor)('B%s', (_name, condition, holds) => {
    for (let nzcv = 0; nzcv < 16; nzcv++) {
      thumb.registers[PC] = RAM;
      thumb.flags = nzcv << 28;
      load(0xd000 | (condition << 8) | 1, BKPT, 0xbf00, BKPT); // skips one BKPT and a NOP
      thumb.run(10);
      expect(thumb.registers[PC], `NZCV ${nzcv.toString(2)}`).toBe(RAM + (holds(nzcv) ? 6 : 2));
    }
  });
});

describe('branches', () => {
  test('B goes both ways', () => {
    load(0xe001, BKPT, BKPT, 0xe7fd); // +2 → 6; there −6+4 → 4
    thumb.run(10);
    expect(thumb.registers[PC]).toBe(RAM + 4);
  });

  test('CBZ and CBNZ', () => {
    run({ 0: 0, 1: 0 }, 0xb100, 0x3101, 0xb900, 0x3110); // CBZ skips the next, CBNZ does not
    expect(thumb.registers[1]).toBe(0x10);
  });

  test('BL sets LR with the Thumb bit, BX LR returns', () => {
    // 0: BL 8; 4: BKPT; 8: MOVS R0, #7; BX LR
    load(0xf000, 0xf802, BKPT, BKPT, 0x2007, 0x4770);
    expect(thumb.run(10)).toBe('breakpoint');
    expect([thumb.registers[0], thumb.registers[PC], thumb.registers[14]]).toEqual([7, RAM + 4, RAM + 5]);
  });

  test('BX without the Thumb bit is undefined', () => {
    load(0x4700);
    thumb.registers[0] = RAM;
    expect(thumb.run(10)).toBe('undefined');
  });
});

describe('memory', () => {
  test('stores and loads of each width, with sign', () => {
    // STR R0,[R1]; LDRB R2,[R1,#3]; LDRH R3,[R1,#2]; MOVS R5,#2; LDRSH R4,[R1,R5]; LDRSB R6,[R1,R5]
    run({ 0: 0x80ff1234 | 0, 1: DATA }, 0x6008, 0x78ca, 0x884b, 0x2502, 0x5f4c, 0x574e);
    expect([2, 3, 4, 6].map((n) => thumb.registers[n])).toEqual([0x80, 0x80ff, -0x7f01, -1]);
  });

  test('STRB and STRH change nothing beside them', () => {
    // STR R0,[R1]; STRB R2,[R1,#1]; STRH R2,[R1,#2]; LDR R3,[R1]
    run({ 0: -1, 1: DATA, 2: 0 }, 0x6008, 0x704a, 0x804a, 0x680b);
    expect(thumb.registers[3]).toBe(0x000000ff);
  });

  test('STM and LDM write back, but LDM not when the base is loaded', () => {
    // STMIA R1!,{R2,R3}; SUBS R1,#8; LDMIA R1!,{R4,R5}; SUBS R1,#8; LDMIA R1,{R1,R6}
    run({ 1: DATA, 2: 22, 3: 33 }, 0xc10c, 0x3908, 0xc930, 0x3908, 0xc942);
    expect([1, 4, 5, 6].map((n) => thumb.registers[n])).toEqual([22, 22, 33, 33]);
  });

  test('PUSH and POP are a full descending stack', () => {
    // PUSH {R0,R1,LR}; POP {R2,R3}; POP {R4}
    run({ 0: 10, 1: 11, 14: 12 }, 0xb503, 0xbc0c, 0xbc10);
    expect([2, 3, 4].map((n) => thumb.registers[n])).toEqual([10, 11, 12]);
    expect(thumb.registers[SP]).toBe(RAM + 0x1000);
  });

  test('literals are relative to the aligned PC', () => {
    // NOP; LDR R0,[PC,#4]: PC+4 = 6, aligned 4, +4 = 8; ADR R1, #4: PC+4 = 8, +4 = 12
    load(0xbf00, 0x4801, 0xa101, BKPT, 0x5678, 0x1234);
    thumb.run(10);
    expect([thumb.registers[0], thumb.registers[1]]).toEqual([0x12345678, RAM + 12]);
  });

  test('the stack pointer can be added to and indexed', () => {
    // SUB SP,#8; STR R0,[SP,#4]; LDR R1,[SP,#4]; ADD R2,SP,#4; ADD SP,#8
    run({ 0: 77 }, 0xb082, 0x9001, 0x9901, 0xaa01, 0xb002);
    expect([1, 2, SP].map((n) => thumb.registers[n])).toEqual([77, RAM + 0xffc, RAM + 0x1000]);
  });

  test('an access nobody answers stops with the bus fault', () => {
    load(0x6800);
    thumb.registers[0] = 0x70000000;
    const stop = thumb.run(10);
    expect(stop).toBeInstanceOf(BusFault);
    expect(stop).toMatchObject({ address: 0x70000000 });
  });

  test('a word that sticks out of the memory is a bus fault', () => {
    load(0x6800);
    thumb.registers[0] = RAM + 0xffe;
    expect(thumb.run(10)).toBeInstanceOf(BusFault);
  });
});

describe('32-bit instructions (A5.3), as binutils encodes them', () => {
  // name, both halves, R1, C before, result in R0, NZCV
  test.each<[string, number, number, number, number, number, number]>([
    ['AND.W R0, R1, #0xff', 0xf001, 0x00ff, 0x1234, C, 0x34, C],
    ['BIC.W R0, R1, #0xff', 0xf021, 0x00ff, 0x1234, C, 0x1200, C],
    ['ORR.W R0, R1, #0xff00ff', 0xf041, 0x10ff, 0x0f00, 0, 0xff0fff, 0],
    ['ORN R0, R1, #0xff00ff00', 0xf061, 0x20ff, 0x0100, 0, 0xff01ff, 0],
    ['EOR.W R0, R1, #0xffffffff', 0xf081, 0x30ff, 1, 0, -2, 0],
    ['MOV.W R0, #0x80000000', 0xf04f, 0x4000, 0, 0, -0x80000000, 0],
    ['MOVS.W R0, #0x80000000', 0xf05f, 0x4000, 0, 0, -0x80000000, N | C],
    ['MVN.W R0, #0', 0xf06f, 0x0000, 0, 0, -1, 0],
    ['TST.W R1, #0x10000', 0xf411, 0x3f80, 0x10000, C, 7, 0],
    ['TST.W R1, #0x10000', 0xf411, 0x3f80, 0xffff, 0, 7, Z],
    ['TEQ R1, #0x80000000', 0xf091, 0x4f00, 1, 0, 7, N | C],
    ['CMN.W R1, #1', 0xf111, 0x0f01, -1, 0, 7, Z | C],
    ['CMP.W R1, #0xab000000', 0xf1b1, 0x4f2b, 0, 0, 7, 0],
    ['ADD.W R0, R1, #256', 0xf501, 0x7080, -1, 0, 255, 0],
    ['ADDS.W R0, R1, #1', 0xf111, 0x0001, 0x7fffffff, 0, -0x80000000, N | V],
    ['ADC.W R0, R1, #0', 0xf141, 0x0000, 4, C, 5, C],
    ['SBC.W R0, R1, #0', 0xf161, 0x0000, 4, 0, 3, 0],
    ['SUB.W R0, R1, #512', 0xf5a1, 0x7000, 513, 0, 1, 0],
    ['SUBS.W R0, R1, #1', 0xf1b1, 0x0001, 1, 0, 0, Z | C],
    ['RSB R0, R1, #256', 0xf5c1, 0x7080, 1, 0, 255, 0],
  ])('%s', (_name, first, second, r1, before, result, after) => {
    thumb.flags = before << 28;
    run({ 0: 7, 1: r1 }, first, second);
    expect([thumb.registers[0], flags()]).toEqual([result, after]);
  });

  // name, both halves, R1 from DATA, result in R0, R1 after it from DATA
  test.each<[string, number, number, number, number, number]>([
    ['LDR.W R0, [R1, #4]', 0xf8d1, 0x0004, 0, 0x80706050 | 0, 0],
    ['LDR.W R0, [R1, #-4]', 0xf851, 0x0c04, 4, 0x40302010, 4],
    ['LDR.W R0, [R1, #4]!', 0xf851, 0x0f04, 0, 0x80706050 | 0, 4],
    ['LDR.W R0, [R1], #-4', 0xf851, 0x0904, 4, 0x80706050 | 0, 0],
    ['LDRH.W R0, [R1], #2', 0xf831, 0x0b02, 6, 0x8070, 8],
    ['LDRB.W R0, [R1, #-1]', 0xf811, 0x0c01, 8, 0x80, 8],
    ['LDRSH.W R0, [R1, #2]', 0xf9b1, 0x0002, 4, 0x8070 - 0x10000, 4],
    ['LDRSB.W R0, [R1, #-1]', 0xf911, 0x0c01, 8, 0x80 - 0x100, 8],
  ])('%s', (_name, first, second, at, result, after) => {
    ram.bytes.set([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80], DATA - RAM);
    run({ 1: DATA + at }, first, second);
    expect([thumb.registers[0], thumb.registers[1]]).toEqual([result, DATA + after]);
  });

  test.each<[string, number, number, number, string, number]>([
    ['STRB.W R0, [R1, #3]', 0xf881, 0x0003, 0, '00000078', 0],
    ['STRH.W R0, [R1], #2', 0xf821, 0x0b02, 2, '00007856', 4],
    ['STR.W R0, [R1, #-4]!', 0xf841, 0x0d04, 4, '78563412', 0],
  ])('%s', (_name, first, second, at, result, after) => {
    run({ 0: 0x12345678, 1: DATA + at }, first, second);
    expect(Buffer.from(ram.bytes.subarray(DATA - RAM, DATA - RAM + 4)).toString('hex')).toBe(result);
    expect(thumb.registers[1]).toBe(DATA + after);
  });

  test.each([0x8f4f, 0x8f5f, 0x8f6f])('DSB, DMB and ISB have nothing to wait for', (second) => {
    run({}, 0xf3bf, second);
  });

  test.each([
    [Z, 1, 11],
    [0, 2, 12],
  ])('ITETE EQ: what does not hold is passed over, and a 16-bit addition sets no flags', (before, r0, r1) => {
    thumb.flags = before << 28;
    // MOVEQ R0,#1; MOVNE R0,#2; ADDEQ R1,#1; ADDNE R1,#2
    run({ 1: 10 }, 0xbf0b, 0x2001, 0x2002, 0x3101, 0x3102);
    expect([thumb.registers[0], thumb.registers[1], flags()]).toEqual([r0, r1, before]);
  });

  test('a comparison in an IT block sets flags, and a 32-bit instruction is passed over whole', () => {
    thumb.flags = Z << 28;
    // IT EQ; CMPEQ R0,#1; IT CS; ADDCS.W R0,R0,#8
    run({ 0: 0 }, 0xbf08, 0x2801, 0xbf28, 0xf100, 0x0008);
    expect([thumb.registers[0], flags()]).toEqual([0, N]);
  });

  test('a debugger that writes xPSR ends an IT block', () => {
    load(0xbf08, 0x2001, BKPT); // IT EQ; MOVEQ R0,#1
    thumb.step();
    thumb.flags = 0;
    thumb.step();
    expect(thumb.registers[0]).toBe(1);
  });
});

describe('run', () => {
  test('stops at BKPT with the PC on it', () => {
    run({}, 0xbf00);
    expect(thumb.registers[PC]).toBe(RAM + 2);
  });

  test.each<[string, ...number[]]>([
    ['UDF', 0xde00],
    ['SVC', 0xdf00],
    ['MUL.W R0, R1, R2', 0xfb01, 0xf002],
    ['MOVW R0, #0x1234', 0xf241, 0x2034],
    ['LDR.W R0, [R1, R2]', 0xf851, 0x0002],
    ['LDR.W R0, [PC, #4]', 0xf8df, 0x0004],
    ['LDR.W PC, [R1]', 0xf8d1, 0xf000],
    ['LDRD R0, R1, [R2]', 0xe9d2, 0x0100],
    ['ADD.W R0, R1, R2', 0xeb01, 0x0002],
    ['B.W', 0xf7ff, 0xbffe],
  ])('%s is undefined', (_name, ...code) => {
    load(...code);
    expect(thumb.run(10)).toBe('undefined');
  });

  test('counts what it retired and keeps to its budget', () => {
    load(0x3001, 0xe7fd); // ADDS R0,#1; B .-2
    expect(thumb.run(101)).toBe('budget');
    expect([thumb.instructions, thumb.registers[0]]).toEqual([101, 51]);
  });

  test('leaves a loop in which nothing changes', () => {
    // LDR R0,[R1]; CMP R0,#0; BEQ .-4
    load(0x6808, 0x2800, 0xd0fc);
    thumb.registers[1] = DATA;
    expect(thumb.run(1_000_000)).toBe('spinning');
    ram.write(DATA - RAM, 1, 4);
    load(0x6808, 0x2800, 0xd0fc, BKPT);
    expect(thumb.run(10)).toBe('breakpoint');
  });

  test('leaves a loop that stores the same again, but not one that counts in memory', () => {
    // STR R1,[R1]; B .-2
    load(0x6009, 0xe7fd);
    thumb.registers[1] = DATA;
    expect(thumb.run(10_000)).toBe('spinning');
    // LDR R0,[R1]; ADDS R0,#1; STR R0,[R1]; MOVS R0,#0; B .-8
    load(0x6808, 0x3001, 0x6008, 0x2000, 0xe7fa);
    thumb.registers[PC] = RAM;
    expect(thumb.run(10_000)).toBe('budget');
  });

  test('does not leave a loop that reads a peripheral', () => {
    const other = new Memory(0x40000000, 16, 0);
    const withPeripheral = new Thumb(new Bus([ram, other], new Faults()), RAM, ram.bytes);
    load(0x6808, 0x2800, 0xd0fc);
    withPeripheral.registers[PC] = RAM;
    withPeripheral.registers[1] = 0x40000000;
    expect(withPeripheral.run(10_000)).toBe('budget');
  });

  test('comes back when the PC leaves RAM', () => {
    load(0x4700);
    thumb.registers[0] = 0x1001;
    expect(thumb.run(10)).toBe('left RAM');
  });
});
