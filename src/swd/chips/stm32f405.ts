import { type Chip, hexAddress, readWord } from '../chip.ts';

/*
 * STM32F405RG with 1 MiB of flash, by the sections of reference manual RM0090. STM32F407, F415 and F417 of that size
 * are the same in all that is used here, and pass for it.
 */
const uniqueId = 0x1fff7a10; // 39.1: three words
const flashSize = 0x1fff7a20; // 39.2: the upper half of this word is F_SIZE, in KiB
const idcode = 0xe0042000; // 38.6.1: DEV_ID; silicon of revision A says 0x411 there (errata ES0182) and is refused
const cpuid = 0xe000ed00; // ARMv7-M ARM B3.2.3: Arm, Cortex-M4; variant and revision left open
const everyBit = 0xffffffff;

/** Flash interface registers (3.9). */
const flash = {
  keyr: 0x40023c04,
  optkeyr: 0x40023c08,
  sr: 0x40023c0c,
  cr: 0x40023c10,
  optcr: 0x40023c14,
};
const status = { errors: 0xf2, busy: 0x10000 }; // PGSERR, PGPERR, PGAERR, WRPERR, OPERR; BSY
const control = { programWords: 0x201, lock: 0x80000000 }; // PG, and PSIZE 32 bits: the supply is above 2.7 V (3.6.2)
const keys = [0x45670123, 0xcdef89ab] as const; // 3.6.1
const optionKeys = [0x08192a3b, 0x4c5d6e7f] as const; // 3.7.2

/** OPTCR (3.9.9): brown-out level, watchdog and resets are the user's; one bit for each sector lets it be written. */
const option = { lock: 1, start: 2, user: 0xec, writable: 0x0fff0000 };

/**
 * The read protection byte (3.7.3). 0xAA is level 0; 0xCC is level 2, which no one can ever take back and nothing here
 * writes; all others are level 1. 0x33 is the one that differs from 0xCC in every bit: option bytes are programmed
 * from all ones, and wherever power fails on the way to 0x33, 0xCC cannot be left. On the way to 0x00 it could.
 */
const readProtection = { level0: 0xaa, level1: 0x33 };

const identityPage = 0x080e0000; // sector 11

const set = (register: number, value: number | string) => `mww ${hexAddress(register)} ${value}`;

/** Gives the two keys, but only to what is locked: one that comes unasked jams it until the next reset (3.6.1). */
function unlock(register: number, lock: number, keyRegister: number, [one, two]: readonly [number, number]) {
  return `if {[${readWord(register)}] & ${lock}} { ${set(keyRegister, one)}; ${set(keyRegister, two)} }`;
}

/** Opening a locked chip begins a mass erase: up to 32 s (data sheet, "flash memory programming"). */
const awaitFlash =
  'set polls 0; ' +
  `while {[${readWord(flash.sr)}] & ${status.busy}} { sleep 10; if {[incr polls] > 3500} { error busy } }`;

/** Programs the option bytes (3.7.2): this in place of the read protection, and the rest as it is or with more bits set. */
function programOptions(bits: number): string {
  const kept = option.user | option.writable;
  return [
    unlock(flash.optcr, option.lock, flash.optkeyr, optionKeys),
    `set options [expr {[${readWord(flash.optcr)}] & ${kept} | ${bits}}]`,
    set(flash.optcr, '$options'),
    set(flash.optcr, `[expr {$options | ${option.start}}]`),
    awaitFlash,
    set(flash.optcr, `[expr {$options | ${option.lock}}]`),
  ].join('; ');
}

const isOpen = `((([${readWord(flash.optcr)}] >> 8) & 0xFF) == ${readProtection.level0})`;

export const stm32f405: Chip = {
  name: 'stm32f405',
  targetScript: 'target/stm32f4x.cfg',
  core: 'stm32f4x.cpu',
  flash: { start: 0x08000000, end: 0x08100000 },
  // Decision 23: the last two sectors.
  credentialsPage: 0x080c0000,
  identityPage,
  factoryPageSize: 0x20000,
  // At level 1 the debug port, the core and its registers stay open: these work on a locked chip.
  portChecks: [
    { read: 'stm32f4x.dap dpreg 0', mask: everyBit, expected: 0x2ba01477, error: 'wrong-debug-port' },
    { read: readWord(cpuid), mask: 0xff0ffff0, expected: 0x410fc240, error: 'wrong-core' },
    { read: readWord(idcode), mask: 0xfff, expected: 0x413, error: 'wrong-chip' },
  ],
  // The flash is asked, not only the register; the first word of the identity page is public. A flash that cannot be
  // read at level 0 is neither open nor locked.
  unlocked:
    `if {![catch {${readWord(identityPage)}}]} { concat 0x1 } ` +
    `elseif {${isOpen}} { concat 0x2 } else { concat 0x0 }`,
  chipChecks: [
    { read: readWord(flashSize), mask: 0xffff0000, expected: 0x04000000, error: 'wrong-flash-size' },
  ],
  uid: [uniqueId + 8, uniqueId + 4, uniqueId],
  flashWrite: {
    open: [
      unlock(flash.cr, control.lock, flash.keyr, keys),
      set(flash.sr, status.errors), // written 1 to clear
      set(flash.cr, control.programWords),
    ].join('; '),
    close: set(flash.cr, control.lock),
    status: { register: flash.sr, mask: status.busy, done: 0, errors: status.errors },
  },
  lock: programOptions(readProtection.level1 << 8),
  // From level 1 to 0 the chip erases itself (3.7.3); at level 0 it has to be told, once no sector refuses.
  recover:
    `catch { halt }; set open [expr {${isOpen}}]; ` +
    `${programOptions(option.writable | (readProtection.level0 << 8))}; ` +
    'catch { reset halt }; if {$open} { stm32f2x mass_erase 0 }',
};
