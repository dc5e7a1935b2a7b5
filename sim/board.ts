import { randomBytes } from 'node:crypto';
import { DebugPort } from './debug-port.ts';
import { Faults } from './faults.ts';
import { Nrf52840 } from './nrf52840/chip.ts';
import { ProbeDap } from './probe-dap.ts';
import { StlinkProbe } from './stlink-probe.ts';
import { StlinkServer } from './stlink-server.ts';
import { SwdHost } from './swd-host.ts';
import { SwdTarget } from './swd-target.ts';

/** A simulated nRF52840 board in a fixture, with an ST-LINK/V2 of its own. */
export interface Board {
  readonly index: number;
  /** Where OpenOCD's `st-link backend tcp PORT` finds the probe, on 127.0.0.1. */
  readonly port: number;
  readonly serial: string;
  /** FICR.DEVICEID. */
  readonly deviceId: bigint;
  /** Live views of the chip's memories; 1 MiB, 4 KiB and 256 KiB. */
  readonly flash: Uint8Array;
  readonly uicr: Uint8Array;
  readonly ram: Uint8Array;
  /** How many instructions the core has interpreted so far. */
  readonly instructions: number;
  /** After each word that flash or UICR accepted: what was asked for, not what the cells hold. */
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
  /** 0 or none: any free one. */
  readonly port?: number;
  readonly faults?: readonly string[];
  /** None: a random one. */
  readonly deviceId?: bigint;
}

export async function startBoard(options: BoardOptions): Promise<Board> {
  const board = new SimulatedBoard(options.index, options.deviceId ?? randomDeviceId());
  board.setFaults(options.faults ?? []);
  await board.start(options.port ?? 0);
  return board;
}

const randomDeviceId = () => randomBytes(8).readBigUInt64LE();

class SimulatedBoard implements Board {
  readonly index: number;
  readonly serial: string;
  onFlashWrite: (address: number, value: number) => void = () => {};
  onFlashRead: (address: number) => void = () => {};
  onUnimplemented: (what: string) => void = () => {};
  readonly #faults = new Faults();
  readonly #chip: Nrf52840;
  readonly #target: SwdTarget;
  readonly #server: StlinkServer;
  #presetLock = false;
  #started = false;
  #serverWork: Promise<void> = Promise.resolve();

  constructor(index: number, deviceId: bigint) {
    this.index = index;
    this.serial = `LINESIDE-SIM-${index}`;
    this.#chip = new Nrf52840(
      deviceId,
      this.#faults,
      (address, value) => this.onFlashWrite(address, value),
      (address) => this.onFlashRead(address),
      (access) => this.onUnimplemented(access),
    );
    const chip = this.#chip;
    const dp = new DebugPort(
      () => chip.dpidr(),
      (apsel) => chip.accessPort(apsel),
      this.#faults,
    );
    this.#target = new SwdTarget(dp, this.#faults);
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

  get deviceId(): bigint {
    return this.#chip.ficr.deviceId;
  }

  get flash(): Uint8Array {
    return this.#chip.flash.bytes;
  }

  get uicr(): Uint8Array {
    return this.#chip.uicr.bytes;
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
    this.#chip.replace(randomDeviceId());
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
