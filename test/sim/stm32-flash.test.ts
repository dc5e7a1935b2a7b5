import { beforeEach, describe, expect, test } from 'vitest';
import { BusFault, type Width } from '../../sim/bus.ts';
import { Faults } from '../../sim/faults.ts';
import { Stm32f405 } from '../../sim/stm32f405/chip.ts';

// The flash interface of the STM32F405, register by register (RM0090 3).

const FLASH = 0x08000000;
const SECTOR_11 = 0x080e0000;
const KEYR = 0x40023c04;
const OPTKEYR = 0x40023c08;
const SR = 0x40023c0c;
const CR = 0x40023c10;
const OPTCR = 0x40023c14;
const PG = 1;
const SER = 2;
const MER = 4;
const STRT = 0x10000;
const LOCK = 0x80000000;
const X8 = 0;
const X16 = 0x100;
const X32 = 0x200;
const WRPERR = 0x10;
const PGAERR = 0x20;
const PGPERR = 0x40;
const PGSERR = 0x80;
const BSY = 0x10000;

let faults: Faults;
let chip: Stm32f405;
let written: [number, number][];
let unimplemented: string[];

beforeEach(() => {
  faults = new Faults();
  written = [];
  unimplemented = [];
  chip = new Stm32f405(0x112233445566778899aabbccn, {
    faults,
    onFlashWrite: (address, value) => written.push([address, value]),
    onFlashRead: () => {},
    onUnimplemented: (access) => unimplemented.push(access),
  });
  chip.powerOn();
});

const read = (address: number, width: Width = 4) => chip.core.bus.read(address, width) >>> 0;
const write = (address: number, value: number, width: Width = 4) =>
  chip.core.bus.write(address, value, width);

function unlock(): void {
  write(KEYR, 0x45670123);
  write(KEYR, 0xcdef89ab);
}

function unlockOptions(): void {
  write(OPTKEYR, 0x08192a3b);
  write(OPTKEYR, 0x4c5d6e7f);
}

function busyPolls(): number {
  let polls = 0;
  while (read(SR) & BSY && polls < 1000) polls++;
  return polls;
}

/** Programs the option bytes, and resets as a debugger does. */
function program(options: number): void {
  unlockOptions();
  write(OPTCR, options);
  write(OPTCR, options | 2);
  busyPolls();
  write(0xe000ed0c, 0x05fa0004);
}

const erase = (sector: number) => write(CR, SER | (sector << 3) | STRT);

describe('programming', () => {
  beforeEach(unlock);

  test('only clears bits', () => {
    write(CR, PG | X32);
    write(FLASH, 0xff00ff0f);
    write(FLASH, 0x0fffffff);
    expect(read(FLASH)).toBe(0x0f00ff0f);
    expect(written).toEqual([
      [FLASH, 0xff00ff0f],
      [FLASH, 0x0fffffff],
    ]);
    expect(busyPolls()).toBe(0);
  });

  test.each<[string, number, Width, number]>([
    ['a byte', X8, 1, 0xffff12ff],
    ['a halfword', X16, 2, 0x3412ffff],
  ])('%s leaves the rest of its word alone', (_name, psize, width, word) => {
    write(CR, PG | psize);
    const at = width === 1 ? FLASH + 1 : FLASH + 2;
    write(at, width === 1 ? 0x12 : 0x3412, width);
    expect(read(FLASH)).toBe(word);
  });

  test.each<[string, () => void, number, Width, number]>([
    ['without PG', () => write(CR, X32), FLASH, 4, PGSERR],
    ['while CR is locked', () => write(CR, LOCK | PG | X32), FLASH, 4, PGSERR],
    ['of another width than PSIZE', () => write(CR, PG | X32), FLASH, 2, PGPERR],
    ['across a row of 128 bits', () => write(CR, PG | X32), FLASH + 14, 4, PGAERR],
  ])('a write %s is refused in SR, not on the bus', (_name, prepare, address, width, error) => {
    prepare();
    write(address, 0, width);
    expect(read(SR)).toBe(error);
    expect(read(FLASH)).toBe(0xffffffff);
    write(SR, error);
    expect(read(SR)).toBe(0);
  });

  test('a weak bit keeps its 1 for a word and for a halfword', () => {
    faults.replace(['weak-bit@0x8000006']);
    write(CR, PG | X32);
    write(FLASH + 4, 0x12375678);
    expect(read(FLASH + 4)).toBe(0x123f5678);
    write(CR, PG | X16);
    write(FLASH + 6, 0, 2);
    expect(read(FLASH + 4)).toBe(0x00085678);
  });

  test('without power nothing is programmed', () => {
    faults.replace(['unplugged@4']);
    write(CR, PG | X32);
    write(FLASH, 0);
    expect(() => write(FLASH + 4, 0)).toThrow(BusFault);
    expect(read(FLASH + 4)).toBe(0xffffffff);
  });
});

describe('erasing', () => {
  beforeEach(() => {
    chip.flash.bytes.fill(0);
    unlock();
  });

  test.each([
    [0, 0x08000000, 0x4000],
    [3, 0x0800c000, 0x4000],
    [4, 0x08010000, 0x10000],
    [5, 0x08020000, 0x20000],
    [11, SECTOR_11, 0x20000],
  ])('sector %i and nothing beside it', (sector, start, size) => {
    erase(sector);
    const erased = chip.flash.bytes.reduce((sum, byte) => sum + (byte === 0xff ? 1 : 0), 0);
    expect([read(start), read(start + size - 4), erased]).toEqual([0xffffffff, 0xffffffff, size]);
    expect(busyPolls()).toBeGreaterThan(0);
  });

  test('mass erase takes all of it', () => {
    write(CR, MER | STRT);
    expect(chip.flash.bytes.every((byte) => byte === 0xff)).toBe(true);
  });

  test.each([
    ['SER without STRT', SER | (11 << 3)],
    ['STRT without SER', STRT],
    ['a sector that is not there', SER | (12 << 3) | STRT],
  ])('nothing with %s', (_name, control) => {
    write(CR, control);
    expect(chip.flash.bytes.every((byte) => byte === 0)).toBe(true);
  });

  test('nothing while CR is locked', () => {
    write(CR, LOCK);
    erase(11);
    expect(chip.flash.bytes.every((byte) => byte === 0)).toBe(true);
  });

  test('no write-protected sector, and not all of it while one is protected', () => {
    program(0x0fffaaec & ~(0x10000 << 11));
    unlock();
    erase(11);
    expect(read(SR) & WRPERR).toBe(WRPERR);
    write(CR, MER | STRT);
    expect(chip.flash.bytes.every((byte) => byte === 0)).toBe(true);
    write(CR, PG | X32);
    chip.flash.bytes.fill(0xff);
    write(SECTOR_11, 0);
    expect(read(SECTOR_11)).toBe(0xffffffff);
    erase(10);
    expect(read(SECTOR_11 - 4)).toBe(0xffffffff);
  });
});

describe('the lock of CR', () => {
  test('opens with two keys in a row', () => {
    expect(read(CR)).toBe(LOCK);
    write(KEYR, 0x45670123);
    expect(read(CR)).toBe(LOCK);
    write(KEYR, 0xcdef89ab);
    expect(read(CR)).toBe(0);
    write(CR, LOCK);
    expect(read(CR)).toBe(LOCK);
    unlock();
    expect(read(CR)).toBe(0);
  });

  test.each([
    ['a wrong key', [0x45670123, 0x45670123]],
    ['the keys the other way round', [0xcdef89ab, 0x45670123]],
    ['a key when it is open', [0x45670123, 0xcdef89ab, 0x45670123]],
  ])('is jammed by %s until the next reset', (_name, keys) => {
    for (const key of keys) write(KEYR, key);
    unlock();
    expect(read(CR)).toBe(LOCK);
    write(0xe000ed0c, 0x05fa0004);
    unlock();
    expect(read(CR)).toBe(0);
  });
});

describe('option bytes', () => {
  test('are as the factory made them, and OPTCR is locked', () => {
    expect(read(OPTCR)).toBe(0x0fffaaed);
    write(OPTCR, 0);
    expect(read(OPTCR)).toBe(0x0fffaaed);
  });

  test('are programmed by OPTSTRT, and forgotten at reset without it', () => {
    unlockOptions();
    write(OPTCR, 0x0fff55ec);
    write(0xe000ed0c, 0x05fa0004);
    expect(read(OPTCR)).toBe(0x0fffaaed);
    program(0x00ff55c8);
    expect(read(OPTCR)).toBe(0x00ff55c9);
    expect([chip.config.bytes[0], chip.config.bytes[1]]).toEqual([0xc8, 0x55]);
  });

  test.each(['0x00', '0x33', '0x55', '0xAB', '0xFF'])('%s as RDP is level 1', (rdp) => {
    program(0x0fff00ec | (Number(rdp) << 8));
    expect([chip.locked, chip.answers]).toEqual([true, true]);
  });
});

describe('read protection', () => {
  beforeEach(() => {
    unlock();
    write(CR, PG | X32);
    write(FLASH, 0x20001000);
    write(FLASH + 4, 0x08000101);
  });
  const debug = () => chip.accessPort(0);

  test('level 1 shuts the flash from the reset on, and only once there is a debugger', () => {
    unlockOptions();
    write(OPTCR, 0x0fff33ee);
    debug();
    expect(read(FLASH)).toBe(0x20001000);
    chip.powerOn();
    expect(read(FLASH)).toBe(0x20001000);
    debug();
    for (const address of [FLASH, 0, SECTOR_11, 0x1fff7a10, 0x1fff7a22])
      expect(() => read(address)).toThrow(BusFault);
    expect([read(0x20000000), read(0xe0042000), read(OPTCR)]).toEqual([0, 0x10076413, 0x0fff33ed]);
  });

  test('level 1 neither erases nor programs', () => {
    program(0x0fff33ec);
    debug();
    unlock();
    erase(0);
    expect(read(SR) & WRPERR).toBe(WRPERR);
    write(SR, WRPERR);
    write(CR, PG | X32);
    write(SECTOR_11, 0);
    expect(read(SR)).toBe(WRPERR | BSY);
    expect([chip.flash.bytes[3], chip.flash.bytes[0xe0000]]).toEqual([0x20, 0xff]);
  });

  test('from level 1 back to 0 the flash is erased, at once; it opens with the reset', () => {
    program(0x0fff33ec);
    debug();
    unlockOptions();
    write(OPTCR, 0x0fffaaee);
    expect(chip.flash.bytes.every((byte) => byte === 0xff)).toBe(true);
    expect(() => read(FLASH)).toThrow(BusFault);
    write(0xe000ed0c, 0x05fa0004);
    expect(read(FLASH)).toBe(0xffffffff);
  });

  test('up a level, or none, nothing is erased', () => {
    program(0x0fffaae4);
    expect(read(FLASH)).toBe(0x20001000);
    program(0x0fff33e4);
    program(0x0fff55e4);
    expect(chip.flash.bytes[3]).toBe(0x20);
  });

  test('level 2 takes the debug port away and no more options, for ever', () => {
    program(0x0fffccec);
    expect(chip.answers).toBe(false);
    program(0x0fffaaec);
    chip.powerOn();
    expect(chip.answers).toBe(false);
    expect(chip.flash.bytes[3]).toBe(0x20);
  });
});

test('the system memory has the unique number and the flash size, and cannot be written', () => {
  expect([0, 4, 8].map((n) => read(0x1fff7a10 + n).toString(16))).toEqual([
    '99aabbcc',
    '55667788',
    '11223344',
  ]);
  expect(read(0x1fff7a22, 2)).toBe(1024);
  expect(() => write(0x1fff7a10, 0)).toThrow(BusFault);
});

test('a smaller chip has nothing behind its flash', () => {
  faults.replace(['small-flash']);
  expect(read(0x1fff7a22, 2)).toBe(512);
  expect(read(0x0807fffc)).toBe(0xffffffff);
  expect(() => read(0x08080000)).toThrow(BusFault);
  unlock();
  write(CR, PG | X32);
  expect(() => write(SECTOR_11, 0)).toThrow(BusFault);
});

test('with flash-busy BSY stays after an operation, until the fault is cleared', () => {
  faults.replace(['flash-busy']);
  unlock();
  erase(0);
  expect(busyPolls()).toBe(1000);
  faults.replace([]);
  expect(busyPolls()).toBeLessThan(10);
});

test('the core boots from the flash at address 0, where nothing can be written', () => {
  chip.flash.bytes.set(Buffer.from('0010002001010008', 'hex'));
  expect([read(0), read(4)]).toEqual([0x20001000, 0x08000101]);
  expect(() => write(0, 0)).toThrow(BusFault);
});

test('a peripheral that is not modelled reads zero and says so; DBGMCU keeps what it is told until power-on', () => {
  expect(read(0x40023800)).toBe(0);
  write(0xe0042004, 7);
  write(0xe000ed0c, 0x05fa0004);
  expect(read(0xe0042004)).toBe(7);
  chip.powerOn();
  expect(read(0xe0042004)).toBe(0);
  expect(unimplemented).toEqual(['read 0x40023800']);
});
