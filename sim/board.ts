import { randomBytes } from 'node:crypto';
import type { Chip, ChipEvents } from './chip.ts';
import { DebugPort } from './debug-port.ts';
import { type FaultName, Faults } from './faults.ts';
import { Nrf52840 } from './nrf52840/chip.ts';
import { ProbeDap } from './probe-dap.ts';
import { Stm32f405 } from './stm32f405/chip.ts';
import { StlinkProbe } from './stlink-probe.ts';
import { StlinkServer } from './stlink-server.ts';
import { SwdHost } from './swd-host.ts';
import { SwdTarget } from './swd-target.ts';

/** A chip that a board can have: how it is made, how long its unique number is, and what cannot go wrong on it. */
interface Model {
  readonly make: (uniqueId: bigint, events: ChipEvents) => Chip;
  readonly uniqueIdBytes: number;
  readonly without: readonly FaultName[];
}

const MODELS = {
  nrf52840: { make: (id, events) => new Nrf52840(id, events), uniqueIdBytes: 8, without: [] },
  stm32f405: { make: (id, events) => new Stm32f405(id, events), uniqueIdBytes: 12, without: ['no-ctrl-ap'] },
} as const satisfies Record<string, Model>;

export type ChipName = keyof typeof MODELS;

export const chipNames: readonly string[] = Object.keys(MODELS);

export function isChipName(name: string): name is ChipName {
  return Object.hasOwn(MODELS, name);
}

/** A simulated board in a fixture, with an ST-LINK/V2 of its own. */
export interface Board {
  readonly index: number;
  readonly chip: ChipName;
  /** Where OpenOCD's `st-link backend tcp PORT` finds the probe, on 127.0.0.1. */
  readonly port: number;
  readonly serial: string;
  /** What the factory gave the chip: FICR.DEVICEID, or the 96 bits of the STM32. */
  readonly uniqueId: bigint;
  /** The chip keeps its debugger out of the flash. */
  readonly locked: boolean;
  /** Live views of the chip's main flash, whose first byte has the address `flashStart`, and of its RAM. */
  readonly flash: Uint8Array;
  readonly flashStart: number;
  readonly ram: Uint8Array;
  /** The same of the words beside the flash: UICR, or the option bytes from 0x1FFFC000. */
  readonly config: Uint8Array;
  /** How many instructions the core has interpreted so far. */
  readonly instructions: number;
  /** After each write that flash, UICR or option bytes accepted: what was asked for, not what the cells hold. */
  onFlashWrite: (address: number, value: number) => void;
  /** Before each access that reads flash or UICR, by the debugger or by the core. */
  onFlashRead: (address: number) => void;
  /** Every access and command that has no behaviour here. */
  onUnimplemented: (what: string) => void;
  /** Replaces the faults; [] clears them. Forms: README.md. */
  setFaults(faults: readonly string[]): void;
  /** A fresh blank board comes into the fixture. The faults stay, and count anew. */
  swap(): void;
  powerCycle(): void;
  close(): Promise<void>;
}

interface BoardOptions {
  readonly index: number;
  /** None: an nRF52840. */
  readonly chip?: ChipName;
  /** 0 or none: any free one. */
  readonly port?: number;
  readonly faults?: readonly string[];
  /** None: a random one. */
  readonly uniqueId?: bigint;
}

export async function startBoard(options: BoardOptions): Promise<Board> {
  const { chip = 'nrf52840' } = options;
  const board = new SimulatedBoard(options.index, chip, options.uniqueId ?? randomUniqueId(chip));
  board.setFaults(options.faults ?? []);
  await board.start(options.port ?? 0);
  return board;
}

function randomUniqueId(chip: ChipName): bigint {
  return BigInt(`0x${randomBytes(MODELS[chip].uniqueIdBytes).toString('hex')}`);
}

class SimulatedBoard implements Board {
  readonly index: number;
  readonly chip: ChipName;
  readonly serial: string;
  onFlashWrite: (address: number, value: number) => void = () => {};
  onFlashRead: (address: number) => void = () => {};
  onUnimplemented: (what: string) => void = () => {};
  readonly #faults: Faults;
  readonly #chip: Chip;
  readonly #target: SwdTarget;
  readonly #server: StlinkServer;
  #presetLock = false;
  #started = false;
  #serverWork: Promise<void> = Promise.resolve();

  constructor(index: number, name: ChipName, uniqueId: bigint) {
    this.index = index;
    this.chip = name;
    this.serial = `LINESIDE-SIM-${index}`;
    this.#faults = new Faults(MODELS[name].without);
    const chip = MODELS[name].make(uniqueId, {
      faults: this.#faults,
      onFlashWrite: (address, value) => this.onFlashWrite(address, value),
      onFlashRead: (address) => this.onFlashRead(address),
      onUnimplemented: (access) => this.onUnimplemented(access),
    });
    this.#chip = chip;
    const dp = new DebugPort((apsel) => chip.accessPort(apsel), this.#faults);
    this.#target = new SwdTarget(dp, () => chip.answers, this.#faults);
    const probe = new StlinkProbe({
      dap: new ProbeDap(new SwdHost(this.#target)),
      letTargetRun: () => chip.core.advance(),
      onUnimplemented: (command) => this.onUnimplemented(command),
    });
    this.#server = new StlinkServer(probe, this.serial);
    this.#faults.onTrigger = (name) => {
      if (name === 'probe-gone') this.#listenOrClose();
    };
    this.powerCycle();
  }

  get port(): number {
    return this.#server.port;
  }

  get uniqueId(): bigint {
    return this.#chip.uniqueId;
  }

  get locked(): boolean {
    return this.#chip.locked;
  }

  get flash(): Uint8Array {
    return this.#chip.flash.bytes;
  }

  get flashStart(): number {
    return this.#chip.flash.base;
  }

  get config(): Uint8Array {
    return this.#chip.config.bytes;
  }

  get ram(): Uint8Array {
    return this.#chip.ram.bytes;
  }

  get instructions(): number {
    return this.#chip.core.thumb.instructions;
  }

  async start(port: number): Promise<void> {
    await this.#server.listen(port);
    this.#started = true;
    this.#listenOrClose();
    await this.#serverWork;
  }

  setFaults(faults: readonly string[]): void {
    const wasConnected = this.#faults.connected;
    this.#faults.replace(faults);
    this.#applyPresetLock();
    // What lost its supply starts from power-on when it comes back.
    if (!wasConnected && this.#faults.connected) this.powerCycle();
    this.#listenOrClose();
  }

  swap(): void {
    this.#faults.rearm();
    this.#chip.replace(randomUniqueId(this.chip));
    this.#presetLock = false;
    this.#applyPresetLock();
    this.powerCycle();
    this.#listenOrClose();
  }

  powerCycle(): void {
    this.#target.powerOn();
    this.#chip.powerOn();
  }

  async close(): Promise<void> {
    this.#started = false;
    await this.#serverWork;
    await this.#server.close();
  }

  /** A board that comes locked; taking the fault back opens it again. */
  #applyPresetLock(): void {
    const locked = this.#faults.has('locked');
    if (locked || this.#presetLock) this.#chip.presetLock(locked);
    this.#presetLock = locked;
  }

  /** Follows `probe-gone`: cut at once, listening again as soon as the old listener is closed. */
  #listenOrClose(): void {
    if (!this.#started) return;
    const gone = this.#faults.has('probe-gone');
    if (gone && this.#server.listening) {
      const closing = this.#server.close();
      this.#serverWork = this.#serverWork.then(() => closing);
    }
    if (!gone) this.#serverWork = this.#serverWork.then(() => this.#listenAgain());
  }

  async #listenAgain(): Promise<void> {
    const wanted = this.#started && !this.#faults.has('probe-gone');
    if (wanted && !this.#server.listening) await this.#server.listen(this.port);
  }
}
