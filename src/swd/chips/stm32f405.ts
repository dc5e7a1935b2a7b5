import { type Chip, hexAddress, readWord } from '../chip.ts';

/** STM32F405RG with 1 MiB of flash: reference manual RM0090 rev 19, by section. F407, F415 and F417 are the same here. */
const systemMemory = {
  uniqueId: 0x1fff7a10, // 39.1: three words
  flashSize: 0x1fff7a20, // 39.2: F_SIZE, in KiB, is the upper half of this word
};
const dbgmcuIdcode = 0xe0042000; // 38.6.1: DEV_ID is bits 11:0; revision A says 0x411 (errata 2.1.1) and is refused
const cpuid = 0xe000ed00; // ARMv7-M ARM B3.2.3: Arm, Cortex-M4; variant and revision left open
const everyBit = 0xffffffff;

/** 3.9: the flash interface. */
const flash = {
  keyr: '0x40023C04',
  optkeyr: '0x40023C08',
  sr: 0x40023c0c,
  cr: 0x40023c10,
  optcr: 0x40023c14,
};
const sr = { errors: 0xf2, busy: 0x10000 }; // 3.9.5: PGSERR, PGPERR, PGAERR, WRPERR, OPERR; BSY
const programWords = '0x201'; // 3.9.7: PG, and PSIZE for 32 bits at once, which takes a supply of 2.7 V (3.6.2)
const lockControl = '0x80000000';

const [keyOne, keyTwo] = ['0x45670123', '0xCDEF89AB']; // 3.6.1
const [optionKeyOne, optionKeyTwo] = ['0x08192A3B', '0x4C5D6E7F']; // 3.7.2

/** OPTCR (3.9.9): brown-out level, watchdog and resets are the user's, and one bit for each sector lets it be written. */
const userOptions = 0xec;
const writable = 0x0fff0000;

/**
 * The read protection byte (3.7.3). 0xAA is level 0; 0xCC is level 2, which no one can ever take back and nothing here
 * writes; all others are level 1. 0x33 is the one that differs from 0xCC in every bit: when the option bytes are
 * programmed, from all ones, no cut of power can leave 0xCC, as on the way to 0x00 it might.
 */
const readProtection = { open: 0xaa, closed: 0x33 };

const core = 'stm32f4x.cpu';
const identityPage = 0x080e0000; // sector 11

/**
 * Unlocks, if it is locked: a key that comes unasked would jam the register until the next reset (3.6.1).
 */
const openFlash =
  `if {[${readWord(flash.cr)}] & ${lockControl}} { mww ${flash.keyr} ${keyOne}; mww ${flash.keyr} ${keyTwo} }; ` +
  `mww ${hexAddress(flash.sr)} ${sr.errors}; mww ${hexAddress(flash.cr)} ${programWords}`;

/** Bounded by the mass erase that opening a locked chip begins: 16 s, and 32 s at the most (data sheet, table 41). */
const awaitFlash =
  'set polls 0; ' +
  `while {[${readWord(flash.sr)}] & ${sr.busy}} { sleep 10; if {[incr polls] > 3500} { error busy } }`;

/** Programs the option bytes: `bits` in place of the read protection, the rest as it is, or with more bits set. */
function programOptions(bits: number): string {
  const optcr = hexAddress(flash.optcr);
  return (
    `if {[${readWord(flash.optcr)}] & 1} { mww ${flash.optkeyr} ${optionKeyOne}; mww ${flash.optkeyr} ${optionKeyTwo} }; ` +
    `set options [expr {[${readWord(flash.optcr)}] & ${writable | userOptions} | ${bits}}]; ` +
    `mww ${optcr} $options; mww ${optcr} [expr {$options | 2}]; ${awaitFlash}; mww ${optcr} [expr {$options | 1}]`
  );
}

const levelByte = `([${readWord(flash.optcr)}] >> 8) & 0xFF`;

export const stm32f405: Chip = {
  name: 'stm32f405',
  targetScript: 'target/stm32f4x.cfg',
  core,
  flash: { start: 0x08000000, end: 0x08100000 },
  credentialsPage: 0x080c0000, // sector 10
  identityPage,
  factoryPageSize: 0x20000,
  // The debugger's own bus and the core's registers stay open at level 1, so these work on a locked chip.
  portChecks: [
    { read: 'stm32f4x.dap dpreg 0', mask: everyBit, expected: 0x2ba01477, error: 'wrong-debug-port' },
    { read: readWord(cpuid), mask: 0xff0ffff0, expected: 0x410fc240, error: 'wrong-core' },
    { read: readWord(dbgmcuIdcode), mask: 0xfff, expected: 0x413, error: 'wrong-chip' },
  ],
  // The flash is asked, not only the register; the first word of the identity page is public. What cannot be read
  // at level 0 has another reason.
  unlocked:
    `if {![catch {${readWord(identityPage)}}]} { concat 0x1 } ` +
    `elseif {(${levelByte}) == ${readProtection.open}} { concat 0x2 } else { concat 0x0 }`,
  chipChecks: [
    {
      read: readWord(systemMemory.flashSize),
      mask: 0xffff0000,
      expected: 0x04000000,
      error: 'wrong-flash-size',
    },
  ],
  uid: [systemMemory.uniqueId + 8, systemMemory.uniqueId + 4, systemMemory.uniqueId],
  flashWrite: {
    open: openFlash,
    close: `mww ${hexAddress(flash.cr)} ${lockControl}`,
    status: { register: flash.sr, mask: sr.busy, done: 0, errors: sr.errors },
  },
  lock: programOptions(readProtection.closed << 8),
  // From level 1 to 0 the chip erases itself (3.7.3); at level 0 it has to be told, once no sector refuses.
  recover:
    `catch { halt }; set locked [expr {(${levelByte}) != ${readProtection.open}}]; ` +
    `${programOptions(writable | (readProtection.open << 8))}; ` +
    'catch { reset halt }; if {!$locked} { stm32f2x mass_erase 0 }',
};
