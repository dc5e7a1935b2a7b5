import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Board, type ChipName, startBoard } from '../../sim/board.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { toIntelHex } from '../../src/firmware/intel-hex.ts';
import { SecretArena } from '../../src/secret.ts';
import { chipNamed } from '../../src/swd/chips.ts';
import { connect, type Target } from '../../src/swd/connect.ts';
import { writeCredentialsPage } from '../../src/swd/credentials-writer.ts';
import { withdrawIdentityPage, writeIdentityPage } from '../../src/swd/identity-writer.ts';
import { eraseEverything, lockDebugPort } from '../../src/swd/lock.ts';
import { eraseFactoryPages, haltCore, programFirmware } from '../../src/swd/program.ts';
import { readPublic, readUid } from '../../src/swd/read.ts';
import { scratch } from '../support/program.ts';

/** The length of an identity page, in bytes; what is in it does not matter to the chip. */
const length = 168;
const magic = 4;

/** What goes wrong on a chip, and how it is told: at byte 40 of the page, or at its start. */
type Faults = Readonly<Record<string, ErrorCode>>;

interface Expected {
  /** A chip that `other` is, for the profile of this one. */
  readonly other: { readonly chip: ChipName; readonly error: ErrorCode };
  readonly notThisChip: Faults;
}

/** What every chip profile promises: real OpenOCD writes to a simulated board, and the test looks into its flash. */
export function chipContract(name: ChipName, { other, notThisChip }: Expected): void {
  const chip = chipNamed(name);
  let board: Board;
  beforeEach(async () => {
    board = await aBoard(name);
  });

  const offsetOf = (address: number) => address - board.flashStart;
  const sectorAt = (address: number) =>
    board.flash.subarray(offsetOf(address), offsetOf(address) + chip.factoryPageSize);
  const identity = () => Buffer.from(sectorAt(chip.identityPage).subarray(0, length));
  const onBoard = <T>(act: (target: Target) => Promise<T>, on = board) => connected(on, name, act);

  /** As the unit process does it, but for the firmware. */
  const provision = (page: Uint8Array) =>
    onBoard(async (target) => {
      await haltCore(target);
      await eraseFactoryPages(target);
      await inArena(page, (secret, arena) => writeIdentityPage(target, secret, arena));
    });
  const refusal = (code: ErrorCode) => expect.objectContaining({ code });

  describe('identity', () => {
    test('the chip is told by its own number', async () => {
      const uid = await onBoard(readUid);
      expect(uid).toMatch(/^([0-9A-F]{8}){2,4}$/);
      expect(BigInt(`0x${uid}`)).toBe(board.uniqueId);
    });

    test.for(Object.entries(notThisChip))('a board that is %s is refused: %s', async ([fault, code]) => {
      board.setFaults([fault]);
      await expect(onBoard(readUid)).rejects.toEqual(refusal(code));
    });

    test(`a board that is a ${other.chip} is refused, and no byte of it changes`, async () => {
      const wrong = await aBoard(other.chip);
      wrong.flash.fill(0x5a);
      await expect(connected(wrong, name, eraseEverything)).rejects.toEqual(refusal(other.error));
      expect(wrong.flash.every((byte) => byte === 0x5a)).toBe(true);
    });
  });

  describe('the factory pages', () => {
    test('are erased whole, and nothing but them', async () => {
      board.flash.fill(0x5a);
      await onBoard(async (target) => {
        await haltCore(target);
        await eraseFactoryPages(target);
      });
      const [first, end] = [
        offsetOf(chip.credentialsPage),
        offsetOf(chip.identityPage) + chip.factoryPageSize,
      ];
      expect(chip.identityPage).toBe(chip.credentialsPage + chip.factoryPageSize);
      expect(board.flash.subarray(first, end).every((byte) => byte === 0xff)).toBe(true);
      expect(board.flash.subarray(0, first).every((byte) => byte === 0x5a)).toBe(true);
      expect(board.flash.subarray(end).every((byte) => byte === 0x5a)).toBe(true);
    });

    test('a key goes into its page word by word, and nowhere else: no loader runs, and no RAM sees it', async () => {
      const page = randomBytes(length);
      const written: number[] = [];
      board.onFlashWrite = (address) => written.push(address);
      await provision(page);
      expect(identity().equals(page)).toBe(true);
      expect(new Set(written)).toEqual(new Set(wordsFrom(chip.identityPage, length)));
      expect(written.at(-1)).toBe(chip.identityPage);
      expect(board.instructions).toBe(0);
      expect(holdsWordsOf(board.ram, page)).toBe(false);
    });

    test('firmware goes by the loader, whose RAM shows it, and leaves the pages alone', async () => {
      const page = randomBytes(length);
      await provision(page);
      const firmware = randomBytes(2048);
      const path = join(await scratch(), 'firmware.hex');
      await writeFile(path, toIntelHex([{ address: chip.flash.start, bytes: firmware }]));
      await onBoard(async (target) => {
        await haltCore(target);
        await programFirmware(target, path);
      });
      expect(firmware.equals(board.flash.subarray(0, firmware.length))).toBe(true);
      expect(identity().equals(page)).toBe(true);
      expect(board.instructions).toBeGreaterThan(0);
      expect(holdsWordsOf(board.ram, firmware.subarray(-256))).toBe(true);
      expect(holdsWordsOf(board.ram, page)).toBe(false);
    });

    test('an identity page that is cut after any word has no magic word', async () => {
      const left: Buffer[] = [];
      board.onFlashWrite = () => left.push(identity());
      const page = randomBytes(length);
      await provision(page);
      expect(left.pop()?.equals(page)).toBe(true);
      expect(left.length).toBe(length / 4 - 1);
      expect(left.every((each) => each.readUInt32LE(0) === 0xffffffff)).toBe(true);
    });

    test('a page that is given up is blank again', async () => {
      await provision(randomBytes(length));
      await onBoard(withdrawIdentityPage);
      expect(sectorAt(chip.identityPage).every((byte) => byte === 0xff)).toBe(true);
    });

    test('the second pass touches the credentials page only, and reads no word of the identity', async () => {
      board.flash.fill(0x5a);
      const page = randomBytes(1200);
      const touched: number[] = [];
      await onBoard(async (target) => {
        await haltCore(target);
        board.onFlashRead = board.onFlashWrite = (address) => touched.push(address);
        await writeCredentialsPage(target, page);
      });
      const sector = sectorAt(chip.credentialsPage);
      expect(page.equals(sector.subarray(0, page.length))).toBe(true);
      expect(sector.subarray(page.length).every((byte) => byte === 0xff)).toBe(true);
      expect(new Set(touched)).toEqual(new Set(wordsFrom(chip.credentialsPage, page.length)));
      sector.fill(0x5a);
      expect(board.flash.every((byte) => byte === 0x5a)).toBe(true);
    });
  });

  describe('faults', () => {
    const at = `0x${(chip.identityPage + 0x48).toString(16)}`;
    const faults: Faults = {
      absent: 'target-absent',
      'wait-forever': 'target-absent',
      'unplugged@40': 'write-failed',
      'wait-forever@40': 'write-failed',
      'parity-once@40': 'write-failed',
      [`fault@${at}`]: 'write-failed',
      'flash-busy@40': 'flash-not-ready',
      [`weak-bit@${at}`]: 'identity-differs',
    };

    test.for(Object.entries(faults))('%s: %s, and no page that looks whole', async ([fault, code]) => {
      board.setFaults([fault]);
      const page = randomBytes(length).fill(0x12, magic);
      await expect(provision(page)).rejects.toEqual(refusal(code));
      expect(identity().readUInt32LE(0)).toBe(0xffffffff);
      board.setFaults([]);
      await provision(page);
      expect(identity().equals(page)).toBe(true);
    });

    test('a bus that is busy for a moment is no fault', async () => {
      board.setFaults(['wait-once@40']);
      const page = randomBytes(length);
      await provision(page);
      expect(identity().equals(page)).toBe(true);
    });
  });

  describe('the lock', () => {
    const lock = () => onBoard(lockDebugPort);

    test('keeps every debugger out of the flash, after a reset and after a power cycle', async () => {
      const page = randomBytes(length);
      await provision(page);
      const head = await onBoard((target) => readPublic(target, chip.identityPage, 8));
      expect(page.subarray(0, 8).equals(head)).toBe(true); // the control: it could be read
      await lock();
      const locked = await onBoard(async (target) => {
        const attempt = readPublic(target, chip.identityPage, 8);
        await expect(attempt).rejects.toEqual(refusal('read-failed'));
        return target.locked;
      });
      board.powerCycle();
      expect([locked, await onBoard(async (target) => target.locked), board.locked]).toEqual([
        true,
        true,
        true,
      ]);
      expect(identity().equals(page)).toBe(true);
      const read: number[] = [];
      board.onFlashRead = (address) => read.push(address);
      await expect(onBoard((target) => readPublic(target, chip.identityPage, 8))).rejects.toThrow();
      expect(read).toEqual([]);
    });

    test('that does not take is told', async () => {
      board.setFaults(['stuck-lock']);
      await expect(lock()).rejects.toEqual(refusal('lock-failed'));
    });

    test('that nobody can ask is not believed', async () => {
      const attempt = onBoard((target) => {
        board.setFaults(['absent']);
        return lockDebugPort(target);
      });
      await expect(attempt).rejects.toEqual(refusal('lock-unproven'));
    });
  });

  describe('recover', () => {
    test.for(['locked', 'open'])('erases a board that is %s, and its lock', async (state) => {
      await provision(randomBytes(length));
      if (state === 'locked') await onBoard(lockDebugPort);
      board.flash.fill(0, 0, 64);
      await onBoard(eraseEverything);
      expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
      expect(await onBoard(async (target) => [target.locked, board.locked])).toEqual([false, false]);
      const page = randomBytes(length);
      await provision(page);
      expect(identity().equals(page)).toBe(true);
    });

    test('that does nothing is told', async () => {
      board.setFaults(['locked', 'stuck-lock']);
      board.flash.fill(0x5a);
      await expect(onBoard(eraseEverything)).rejects.toEqual(refusal('recover-failed'));
      expect(board.flash.every((byte) => byte === 0x5a)).toBe(true);
    });
  });
}

/** A board that goes with the test. */
export async function aBoard(chip: ChipName): Promise<Board> {
  const board = await startBoard({ index: 0, chip });
  onTestFinished(() => board.close());
  return board;
}

/** Does it through an OpenOCD of its own. */
export async function connected<T>(
  board: Board,
  chip: string,
  act: (target: Target) => Promise<T>,
): Promise<T> {
  const probe = { name: 'a', interface: 'sim', serial: String(board.port) } as const;
  const target = await connect(probe, chipNamed(chip));
  try {
    return await act(target);
  } finally {
    await target.openocd.close();
  }
}

/** The page as the unit process has it: in an arena that also has room for the scripts. */
export async function inArena(
  page: Uint8Array,
  act: (secret: Uint8Array, arena: SecretArena) => Promise<void>,
): Promise<void> {
  const arena = new SecretArena();
  const secret = arena.take(page.length);
  secret.set(page);
  await act(secret, arena);
}

function wordsFrom(address: number, bytes: number): number[] {
  return Array.from({ length: bytes / 4 }, (_, word) => address + 4 * word);
}

/** Any two words in a row of `bytes`, at any place: one alone might be there by chance. */
function holdsWordsOf(memory: Uint8Array, bytes: Buffer): boolean {
  const haystack = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  return wordsFrom(0, bytes.length - 4).some((at) => haystack.includes(bytes.subarray(at, at + 8)));
}
