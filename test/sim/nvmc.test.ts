import { beforeEach, expect, test } from 'vitest';
import { BusFault } from '../../sim/bus.ts';
import { Faults } from '../../sim/faults.ts';
import { Nrf52840 } from '../../sim/nrf52840/chip.ts';

const READY = 0x4001e400;
const CONFIG = 0x4001e504;
const ERASEPAGE = 0x4001e508;
const ERASEALL = 0x4001e50c;
const ERASEUICR = 0x4001e514;
const APPROTECT = 0x10001208;
const WEN = 1;
const EEN = 2;

let faults: Faults;
let chip: Nrf52840;
let written: [number, number][];
let unimplemented: string[];

beforeEach(() => {
  faults = new Faults();
  written = [];
  unimplemented = [];
  chip = new Nrf52840(0x1122334455667788n, {
    faults,
    onFlashWrite: (address, value) => written.push([address, value]),
    onFlashRead: () => {},
    onUnimplemented: (access) => unimplemented.push(access),
  });
  chip.powerOn();
});

const read = (address: number) => chip.core.bus.read(address, 4);
const write = (address: number, value: number) => chip.core.bus.write(address, value, 4);

function busyPolls(): number {
  let polls = 0;
  while (read(READY) === 0 && polls < 1000) polls++;
  return polls;
}

test('flash only clears bits', () => {
  write(CONFIG, WEN);
  write(0x1000, 0xffff00ff | 0);
  write(0x1000, 0x0fffffff);
  expect(read(0x1000)).toBe(0x0fff00ff);
  write(0x1000, -1);
  expect(read(0x1000)).toBe(0x0fff00ff);
});

test('a write without WEN is a bus fault', () => {
  expect(() => write(0x1000, 0)).toThrow(BusFault);
  write(CONFIG, EEN);
  expect(() => write(0x1000, 0)).toThrow(BusFault);
  expect(read(0x1000)).toBe(-1);
});

test('only whole words can be written', () => {
  write(CONFIG, WEN);
  expect(() => chip.core.bus.write(0x1000, 0, 1)).toThrow(BusFault);
  expect(() => chip.core.bus.write(0x1000, 0, 2)).toThrow(BusFault);
});

test('ERASEPAGE needs EEN and erases the one page', () => {
  write(CONFIG, WEN);
  for (const address of [0x0ffc, 0x1000, 0x1ffc, 0x2000]) write(address, 0);
  write(ERASEPAGE, 0x1000);
  expect(read(0x1000)).toBe(0);
  write(CONFIG, EEN);
  write(ERASEPAGE, 0x1000);
  expect([0x0ffc, 0x1000, 0x1ffc, 0x2000].map(read)).toEqual([0, -1, -1, 0]);
});

test('ERASEALL takes flash and UICR, ERASEUICR only UICR', () => {
  write(CONFIG, WEN);
  write(0x1000, 0);
  write(APPROTECT, 0);
  write(CONFIG, EEN);
  write(ERASEUICR, 1);
  expect([read(0x1000), read(APPROTECT)]).toEqual([0, -1]);
  write(ERASEALL, 1);
  expect(read(0x1000)).toBe(-1);
});

test('READY is 0 for some polls after an erase, and 1 right after a word', () => {
  write(CONFIG, EEN);
  expect(busyPolls()).toBe(0);
  write(ERASEPAGE, 0);
  expect(busyPolls()).toBeGreaterThan(0);
  write(CONFIG, WEN);
  write(0, 0);
  expect(busyPolls()).toBe(0);
});

test('with flash-busy READY stays 0 after an operation, until the fault is cleared', () => {
  faults.replace(['flash-busy']);
  expect(busyPolls()).toBe(0);
  write(CONFIG, WEN);
  write(0, 0);
  expect(busyPolls()).toBe(1000);
  faults.replace([]);
  expect(busyPolls()).toBe(0);
});

test('a weak bit keeps its 1, and is seen whatever value is written', () => {
  faults.replace(['weak-bit@0x1002']);
  write(CONFIG, WEN);
  write(0x1000, 0x12375678);
  expect(read(0x1000)).toBe(0x123f5678);
  write(0x1000, 0);
  expect(read(0x1000)).toBe(0x00080000);
});

test('every accepted word is told', () => {
  write(CONFIG, WEN);
  write(0xff000, -2);
  write(APPROTECT, 0);
  expect(written).toEqual([
    [0xff000, 0xfffffffe],
    [APPROTECT, 0],
  ]);
});

test('FICR says what chip it is, and cannot be written', () => {
  expect(read(0x10000100)).toBe(0x52840);
  expect([read(0x10000060) >>> 0, read(0x10000064)]).toEqual([0x55667788, 0x11223344]);
  write(CONFIG, WEN);
  expect(() => write(0x10000100, 0)).toThrow(BusFault);
});

test('a smaller chip has nothing behind its flash', () => {
  faults.replace(['small-flash']);
  expect(read(0x10000014)).toBe(128);
  expect(read(0x7fffc)).toBe(-1);
  expect(() => read(0x80000)).toThrow(BusFault);
});

test('an address nobody answers is a bus fault', () => {
  expect(() => read(0x60000000)).toThrow(BusFault);
});

test('a peripheral that is not modelled reads zero and says so; a watchdog refresh does not', () => {
  expect(read(0x40002500)).toBe(0);
  write(0x40002500, 8);
  write(0x40010600, 0x6e524635);
  expect(unimplemented).toEqual(['read 0x40002500', 'write 0x40002500 = 0x00000008']);
});
