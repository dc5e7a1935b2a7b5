import type { Faults } from '../faults.ts';
import type { Memory } from '../memory.ts';

// RM0090 3.7.1: where the user configuration sector has them. Their complements are not modelled.
export const OPTION_BYTES = 0x1fffc000;
const RDP_AND_USER = 0;
const WRITE_PROTECTION = 8;

// FLASH_OPTCR (RM0090 3.9.9): BOR_LEV, WDG_SW, nRST_STOP, nRST_STDBY; RDP; nWRP[11:0], one bit for each sector.
const USER = 0xec;
const RDP = 0xff00;
const N_WRP = 0x0fff0000;
export const OPTIONS = USER | RDP | N_WRP;
/** As the chip leaves the factory: level 0, nothing write-protected. */
const FACTORY = 0x0fffaaec;

const LEVEL_0 = 0xaa;
const LEVEL_2 = 0xcc;
const SOME_LEVEL_1 = 0x55;

/** Read protection: 0 none, 1 no debugger in the flash, 2 no debugger, for ever (RM0090 3.7.3). */
export type Level = 0 | 1 | 2;

export function levelOf(options: number): Level {
  const rdp = (options & RDP) >>> 8;
  if (rdp === LEVEL_0) return 0;
  return rdp === LEVEL_2 ? 2 : 1;
}

/** The option bytes, in the layout of OPTCR, and the level that was taken up from them. */
export class OptionBytes {
  /** In force since the last reset. */
  level: Level = 0;
  readonly #memory: Memory;
  readonly #faults: Faults;

  constructor(memory: Memory, faults: Faults) {
    this.#memory = memory;
    this.#faults = faults;
    this.program(FACTORY);
  }

  get value(): number {
    const low = this.#memory.read(RDP_AND_USER, 2);
    return (low | (this.#memory.read(WRITE_PROTECTION, 2) << 16)) & OPTIONS;
  }

  program(options: number): void {
    this.#memory.write(RDP_AND_USER, options & (USER | RDP), 2);
    this.#memory.write(WRITE_PROTECTION, (options & N_WRP) >>> 16, 2);
  }

  isWriteProtected(sector: number): boolean {
    return (this.value & (0x10000 << sector)) === 0;
  }

  /** At every reset. With stuck-lock the level stays what it is, whatever the option bytes say. */
  latch(): void {
    if (!this.#faults.has('stuck-lock')) this.level = levelOf(this.value);
  }

  /** Somebody else's doing, before the board came. */
  preset(locked: boolean): void {
    this.program((FACTORY & ~RDP) | ((locked ? SOME_LEVEL_1 : LEVEL_0) << 8));
    this.level = locked ? 1 : 0;
  }
}
