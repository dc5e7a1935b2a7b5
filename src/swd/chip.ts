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
  readonly flash: { readonly start: number; readonly end: number; readonly pageSize: number };
  readonly identityPage: number;
  readonly credentialsPage: number;
  /** Checks that work on a locked chip too. */
  readonly portChecks: readonly IdentityCheck[];
  /** Tcl that yields 0 while the debug port is locked. */
  readonly unlocked: string;
  readonly chipChecks: readonly IdentityCheck[];
  /** Addresses of the unique number, most significant word first. */
  readonly uid: readonly number[];
  /** Tcl around and after each word written to flash; `busy` is a Tcl condition. */
  readonly flashWrite: { readonly open: string; readonly busy: string; readonly close: string };
  /** Tcl that sets the lock; it takes effect at the next reset. */
  readonly lock: string;
  /** Tcl that erases the whole chip and with it the lock. */
  readonly recover: string;
}

/** Tcl that reads one word, as a hexadecimal number. */
export function readWord(address: number): string {
  return `read_memory ${hexAddress(address)} 32 1`;
}

/** `0x000FF000` */
export function hexAddress(address: number): string {
  return `0x${address.toString(16).toUpperCase().padStart(8, '0')}`;
}
