import type { ErrorCode } from '../errors.ts';

/** A register that must read as told before anything is erased. */
export interface IdentityCheck {
  /** Tcl that yields the value. */
  readonly read: string;
  readonly mask: number;
  readonly expected: number;
  readonly error: ErrorCode;
}

/**
 * All that is particular to one chip: its map, how it is recognised, how one word is written, how it is locked.
 * Tcl fragments are public text: no secret is ever put into them.
 */
export interface Chip {
  readonly name: string;
  /** OpenOCD's own target script, and what it calls the core. */
  readonly targetScript: string;
  readonly core: string;
  /** Main flash, `end` exclusive. */
  readonly flash: { readonly start: number; readonly end: number };
  /**
   * The factory pages: each is `factoryPageSize` bytes that the chip erases by themselves, so that erasing one can
   * touch neither the other nor the firmware. The credentials page is the first; nothing lies between or behind them.
   */
  readonly credentialsPage: number;
  readonly identityPage: number;
  readonly factoryPageSize: number;
  /** Checks that work on a locked chip too. */
  readonly portChecks: readonly IdentityCheck[];
  /** Tcl that yields 1 while a debugger can read the flash, 0 while it cannot, and anything else if that is not certain. */
  readonly unlocked: string;
  readonly chipChecks: readonly IdentityCheck[];
  /** Addresses of the unique number, most significant word first. */
  readonly uid: readonly number[];
  readonly flashWrite: FlashWrite;
  /** Tcl that sets the lock; it takes effect at the next reset. */
  readonly lock: string;
  /** Tcl that erases the whole chip and with it the lock. */
  readonly recover: string;
}

/** How single words get into the flash past OpenOCD's driver. */
interface FlashWrite {
  /** Tcl that lets words through, and that shuts the controller again. */
  readonly open: string;
  readonly close: string;
  /** The controller's answer to each word: it is done when `status & mask` is `done`, and refused it if `errors` shows. */
  readonly status: {
    readonly register: number;
    readonly mask: number;
    readonly done: number;
    readonly errors: number;
  };
}

/** Tcl that reads one word, as a hexadecimal number. */
export function readWord(address: number): string {
  return `read_memory ${hexAddress(address)} 32 1`;
}

/** `0x000FF000` */
export function hexAddress(address: number): string {
  return `0x${address.toString(16).toUpperCase().padStart(8, '0')}`;
}
