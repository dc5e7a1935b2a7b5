import { beforeEach, expect, test } from 'vitest';
import { Bus, BusFault } from '../../sim/bus.ts';
import { Faults } from '../../sim/faults.ts';
import { MemAp } from '../../sim/mem-ap.ts';
import { Memory } from '../../sim/memory.ts';

const CSW = 0x00;
const TAR = 0x04;
const DRW = 0x0c;
const BD1 = 0x14;
const BYTE = 0x23000000;
const HALFWORD = 0x23000001;
const WORD = 0x23000002;
const SINGLE = 0x10;
const PACKED = 0x20;
const DEVICE_EN = 0x40;

let memory: Memory;
let open: boolean;
let ap: MemAp;

beforeEach(() => {
  memory = new Memory(0x20000000, 0x4000, 0);
  open = true;
  ap = new MemAp(new Bus([memory], new Faults()), () => open);
});

test('single increment goes on by the access width', () => {
  ap.write(CSW, WORD | SINGLE);
  ap.write(TAR, 0x20000000);
  ap.write(DRW, 0x11111111);
  ap.write(DRW, 0x22222222);
  expect(ap.read(TAR)).toBe(0x20000008);
  expect([...memory.bytes.subarray(0, 8)]).toEqual([17, 17, 17, 17, 34, 34, 34, 34]);
});

test('TAR wraps inside 4 KiB', () => {
  ap.write(CSW, WORD | SINGLE);
  ap.write(TAR, 0x20000ffc);
  ap.write(DRW, 1);
  expect(ap.read(TAR)).toBe(0x20000000);
});

test('without increment TAR stays', () => {
  ap.write(CSW, WORD);
  ap.write(TAR, 0x20000000);
  ap.write(DRW, 1);
  expect(ap.read(TAR)).toBe(0x20000000);
});

test('bytes and halfwords travel in the lane of their address', () => {
  ap.write(CSW, BYTE | SINGLE);
  ap.write(TAR, 0x20000003);
  ap.write(DRW, 0xaa000000 | 0);
  ap.write(TAR, 0x20000001);
  ap.write(DRW, 0x0000bb00);
  ap.write(CSW, HALFWORD | SINGLE);
  ap.write(TAR, 0x20000006);
  ap.write(DRW, 0xccdd0000 | 0);
  expect([...memory.bytes.subarray(0, 8)]).toEqual([0, 0xbb, 0, 0xaa, 0, 0, 0xdd, 0xcc]);
  ap.write(TAR, 0x20000006);
  expect(ap.read(DRW) >>> 0).toBe(0xccdd0000);
});

test('packed transfers fill a word', () => {
  ap.write(CSW, BYTE | PACKED);
  ap.write(TAR, 0x20000000);
  ap.write(DRW, 0x44332211);
  ap.write(CSW, HALFWORD | PACKED);
  ap.write(DRW, 0x88776655 | 0);
  expect(ap.read(TAR)).toBe(0x20000008);
  expect([...memory.bytes.subarray(0, 8)]).toEqual([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
  ap.write(TAR, 0x20000000);
  ap.write(CSW, BYTE | PACKED);
  expect(ap.read(DRW)).toBe(0x44332211);
});

test('banked data registers reach the four words around TAR', () => {
  ap.write(CSW, WORD);
  ap.write(TAR, 0x20000000);
  ap.write(BD1, 5);
  expect(memory.read(4, 4)).toBe(5);
});

test('TAR is one past a failed access', () => {
  ap.write(CSW, WORD | SINGLE);
  ap.write(TAR, 0x30000000);
  expect(() => ap.write(DRW, 1)).toThrow(BusFault);
  expect(ap.read(TAR)).toBe(0x30000004);
});

test('a closed AP clears DeviceEn and refuses data, but keeps its own registers', () => {
  expect(ap.read(CSW) & DEVICE_EN).toBe(DEVICE_EN);
  open = false;
  ap.write(TAR, 0x20000000);
  expect(ap.read(CSW) & DEVICE_EN).toBe(0);
  expect(ap.read(TAR)).toBe(0x20000000);
  expect(() => ap.read(DRW)).toThrow(BusFault);
  expect(() => ap.write(DRW, 1)).toThrow(BusFault);
  expect(() => ap.read(BD1)).toThrow(BusFault);
});
