import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Board } from '../../sim/board.ts';
import { writeIdentityPage } from '../../src/swd/identity-writer.ts';
import { eraseEverything, lockDebugPort } from '../../src/swd/lock.ts';
import { eraseFactoryPages, haltCore } from '../../src/swd/program.ts';
import { aBoard, chipContract, connected, inArena } from '../contract/chip.ts';

describe('stm32f405', () => {
  chipContract('stm32f405', {
    other: { chip: 'nrf52840', error: 'wrong-chip' },
    notThisChip: {
      'wrong-dpidr': 'wrong-debug-port',
      'other-core': 'wrong-core',
      'wrong-chip': 'wrong-chip',
      'small-flash': 'wrong-flash-size',
    },
  });
});

const level0 = 0xaa;
const level1 = 0x33;
const level2 = 0xcc;
const optionBytes = 0x1fffc000;
const sector11 = 1 << 11;

/** The option bytes as FLASH_OPTCR shows them. */
interface Options {
  readonly user: number;
  readonly rdp: number;
  /** One bit for each sector; 0 protects it. */
  readonly nWrp: number;
}

function optionsOf(board: Board): Options {
  const bytes = Buffer.from(board.config);
  return { user: bytes.readUInt8(0), rdp: bytes.readUInt8(1), nWrp: bytes.readUInt16LE(8) & 0xfff };
}

/** Sets the option bytes as if they had been so when the board came. */
function setOptions(board: Board, { user, rdp, nWrp }: Options): void {
  board.config.set([user, rdp]);
  board.config.set([nWrp & 0xff, nWrp >> 8], 8);
  board.powerCycle();
}

/** Every read protection byte that is programmed from now on. */
function watchLevels(board: Board): number[] {
  const levels: number[] = [];
  board.onFlashWrite = (address, value) => {
    if (address === optionBytes) levels.push((value >> 8) & 0xff);
  };
  return levels;
}

describe('read protection', () => {
  test.each([
    { user: 0xec, nWrp: 0xfff },
    { user: 0xcc, nWrp: 0x7ff }, // the pattern of level 2 in the byte beside it
    { user: 0x20, nWrp: 0xccc },
    { user: 0x00, nWrp: 0x000 },
  ])('locking programs level 1 as 0x33, once, and keeps all other options: %o', async (options) => {
    const board = await aBoard('stm32f405');
    setOptions(board, { ...options, rdp: level0 });
    const levels = watchLevels(board);
    await connected(board, 'stm32f405', lockDebugPort);
    expect(levels).toEqual([level1]);
    expect(optionsOf(board)).toEqual({ ...options, rdp: level1 });
  });

  test.each(['0x33', '0x00', '0x55', '0xCD', '0xFF'])(
    'recover from level 1 as %s programs level 0, once, and takes write protection away',
    async (rdp) => {
      const board = await aBoard('stm32f405');
      setOptions(board, { user: 0xcc, rdp: Number(rdp), nWrp: 0x333 });
      const levels = watchLevels(board);
      await connected(board, 'stm32f405', eraseEverything);
      expect(levels).toEqual([level0]);
      expect(optionsOf(board)).toEqual({ user: 0xcc, rdp: level0, nWrp: 0xfff });
    },
  );

  test('level 2 would be seen, and could never be undone', async () => {
    const board = await aBoard('stm32f405');
    const levels = watchLevels(board);
    const forEver = 'mww 0x40023C08 0x08192A3B; mww 0x40023C08 0x4C5D6E7F; mww 0x40023C14 0x0FFFCCEE';
    await connected(board, 'stm32f405', ({ openocd }) =>
      openocd.run(forEver, { doing: 'ruining', seconds: 5 }),
    );
    expect(levels).toEqual([level2]);
    board.powerCycle();
    await expect(connected(board, 'stm32f405', eraseEverything)).rejects.toThrow('no chip answers');
  });

  test('0x33 cannot turn into 0xCC on the way: no bit that is programmed leads there', () => {
    const erased = 0xff;
    const programmed = erased & ~level1;
    for (let cut = 0; cut <= programmed; cut++) {
      const left = erased & ~(cut & programmed);
      expect(left).not.toBe(level2);
    }
    expect(erased & ~0x33 & 0xff).toBe(level2); // the control: on the way to 0x00 it could
  });
});

const page = randomBytes(168);

test('a flash and options that somebody left unlocked are not jammed by one more key', async () => {
  const board = await aBoard('stm32f405');
  const unlock =
    'mww 0x40023C04 0x45670123; mww 0x40023C04 0xCDEF89AB; mww 0x40023C08 0x08192A3B; mww 0x40023C08 0x4C5D6E7F';
  await connected(board, 'stm32f405', async (target) => {
    await target.openocd.run(unlock, { doing: 'unlocking', seconds: 5 });
    await inArena(page, (secret, arena) => writeIdentityPage(target, secret, arena));
    await lockDebugPort(target);
  });
  expect(page.equals(board.flash.subarray(0xe0000, 0xe0000 + page.length))).toBe(true);
  expect(board.locked).toBe(true);
});

describe('a write-protected sector', () => {
  test('is not erased, and that is told', async () => {
    const board = await aBoard('stm32f405');
    setOptions(board, { user: 0xec, rdp: level0, nWrp: 0xfff & ~sector11 });
    const attempt = connected(board, 'stm32f405', async (target) => {
      await haltCore(target);
      await eraseFactoryPages(target);
    });
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'erase-failed' }));
  });

  test('refuses the first word, and no other is sent', async () => {
    const board = await aBoard('stm32f405');
    setOptions(board, { user: 0xec, rdp: level0, nWrp: 0xfff & ~sector11 });
    const attempt = connected(board, 'stm32f405', async (target) => {
      await haltCore(target);
      await inArena(page, (secret, arena) => writeIdentityPage(target, secret, arena));
    });
    const facts = { address: '0x080E0004' };
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code: 'write-failed', facts }));
  });

  test('does not keep recover from erasing all of it', async () => {
    const board = await aBoard('stm32f405');
    setOptions(board, { user: 0xec, rdp: level0, nWrp: 0 });
    board.flash.fill(0x5a);
    await connected(board, 'stm32f405', eraseEverything);
    expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
  });
});
