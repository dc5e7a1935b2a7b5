import type { AccessPort } from './access-port.ts';
import type { OnUnimplemented } from './bus.ts';
import type { CortexM4 } from './cortex-m4.ts';
import type { Faults } from './faults.ts';
import type { Memory } from './memory.ts';

/** What a board and its debug port need of the chip on it. */
export interface Chip {
  /** Main flash and SRAM. */
  readonly flash: Memory;
  readonly ram: Memory;
  /** The words beside the flash that the user sets: UICR, or the option bytes. */
  readonly config: Memory;
  readonly core: CortexM4;
  /** What the factory gave it, as a number. */
  readonly uniqueId: bigint;
  /** The debugger is kept out of the flash. */
  readonly locked: boolean;
  /** Something answers on the SWD pins of the powered chip. */
  readonly answers: boolean;
  accessPort(apsel: number): AccessPort | undefined;
  powerOn(): void;
  /** Locked before it came into the fixture, or opened again. */
  presetLock(locked: boolean): void;
  /** Another chip in its place, as it leaves the factory. */
  replace(uniqueId: bigint): void;
}

/** Whom a chip tells what happens in it. */
export interface ChipEvents {
  readonly faults: Faults;
  /** After each write that flash or the words beside it accepted: what was asked for, not what the cells hold. */
  readonly onFlashWrite: (address: number, value: number) => void;
  /** Before each access that reads them, by the debugger or by the core. */
  readonly onFlashRead: (address: number) => void;
  readonly onUnimplemented: OnUnimplemented;
}
