import { DPIDR } from './debug-port.ts';
import { type ProbeDap, WireError } from './probe-dap.ts';
import * as stlink from './stlink-commands.ts';

interface ProbeOptions {
  readonly dap: ProbeDap;
  /** Called before each command: the time the target has had since the last one. */
  readonly letTargetRun: () => void;
  readonly onUnimplemented: (what: string) => void;
}

/** An ST-LINK/V2: 16-byte commands in, replies out, everything else on the wire. */
export class StlinkProbe {
  readonly #options: ProbeOptions;
  readonly #dap: ProbeDap;
  #mode: number = stlink.MODE_MASS;
  #lastStatus: number = stlink.STATUS_OK;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#dap = options.dap;
  }

  /** `data` comes with a write command; `reply` is filled in, its length is the host's choice. */
  execute(command: DataView, data: DataView, reply: DataView): void {
    this.#options.letTargetRun();
    switch (command.getUint8(0)) {
      case stlink.GET_VERSION:
        return put(reply, stlink.VERSION);
      case stlink.GET_CURRENT_MODE:
        return put(reply, Uint8Array.of(this.#mode, 0));
      case stlink.GET_TARGET_VOLTAGE:
        return putWords(reply, ADC_REFERENCE, ADC_TARGET);
      case stlink.DFU:
        return;
      case stlink.DEBUG:
        return this.#debug(command, data, reply);
      default:
        this.#unknown(command, reply);
    }
  }

  #debug(command: DataView, data: DataView, reply: DataView): void {
    const memory = stlink.MEMORY_COMMANDS.get(command.getUint8(1));
    if (memory) return this.#memory(memory, command, data, reply);
    switch (command.getUint8(1)) {
      case stlink.ENTER:
        return putWords(reply, this.#enter(command.getUint8(2)));
      case stlink.EXIT:
        this.#mode = stlink.MODE_MASS;
        return;
      case stlink.READ_IDCODES:
        return this.#access(reply, () => this.#dap.readDp(DPIDR));
      case stlink.READ_DAP_REG:
        return this.#access(reply, () => this.#readRegister(command));
      case stlink.WRITE_DAP_REG:
        return this.#access(reply, () => this.#writeRegister(command));
      case stlink.GETLASTRWSTATUS:
      case stlink.GETLASTRWSTATUS2:
        return putWords(reply, this.#lastStatus, this.#dap.blockAddress);
      // The fixture has no wire to a reset pin, and the clock does not matter here.
      case stlink.DRIVE_NRST:
      case stlink.SWD_SET_FREQ:
      case stlink.INIT_AP:
      case stlink.CLOSE_AP:
        return putWords(reply, stlink.STATUS_OK);
      default:
        this.#unknown(command, reply);
    }
  }

  #unknown(command: DataView, reply: DataView): void {
    const [first, second] = [command.getUint8(0), command.getUint8(1)];
    this.#options.onUnimplemented(`st-link command ${first.toString(16)} ${second.toString(16)}`);
    putWords(reply, stlink.STATUS_UNKNOWN_COMMAND);
  }

  #enter(mode: number): number {
    if (mode !== stlink.ENTER_SWD_NO_RESET) return stlink.STATUS_UNKNOWN_COMMAND;
    const status = this.#onWire(() => this.#dap.connect());
    if (status !== stlink.STATUS_OK) return stlink.STATUS_GET_IDCODE_ERROR;
    this.#mode = stlink.MODE_DEBUG;
    return status;
  }

  /** The reply is a status, padding, and at offset 4 the value of a read. */
  #access(reply: DataView, access: () => number): void {
    let value = 0;
    const status = this.#onWire(() => {
      value = access();
    });
    putWords(reply, status, value);
  }

  #onWire(run: () => void): number {
    try {
      run();
      return stlink.STATUS_OK;
    } catch (error) {
      if (error instanceof WireError) return error.status;
      throw error;
    } finally {
      this.#dap.idle();
    }
  }

  #readRegister(command: DataView): number {
    const [port, address] = [command.getUint16(2, true), command.getUint16(4, true)];
    return port === stlink.DEBUG_PORT ? this.#dap.readDp(address) : this.#dap.readAp(port, address);
  }

  #writeRegister(command: DataView): number {
    const [port, address] = [command.getUint16(2, true), command.getUint16(4, true)];
    const value = command.getInt32(6, true);
    if (port === stlink.DEBUG_PORT) this.#dap.writeDp(address, value);
    else this.#dap.writeAp(port, address, value);
    return 0;
  }

  #memory(memory: stlink.MemoryCommand, command: DataView, data: DataView, reply: DataView): void {
    const address = command.getUint32(2, true);
    const length = Math.min(command.getUint16(6, true), memory.write ? data.byteLength : reply.byteLength);
    const apsel = command.getUint8(8);
    const csw = command.getInt32(8, true) & ~0xff;
    this.#lastStatus = this.#onWire(() => {
      if (memory.write) this.#dap.writeBlock(memory, apsel, csw, address, part(data, length));
      else this.#dap.readBlock(memory, apsel, csw, address, part(reply, length));
    });
    // OpenOCD leaves the sticky errors of a memory command to the probe: with them set its next DP write would fail.
    if (this.#lastStatus !== stlink.STATUS_OK) this.#dap.clearSticky();
  }
}

// 2 * ADC_TARGET / ADC_REFERENCE * 1.2 V = 3.3 V
const ADC_REFERENCE = 1490;
const ADC_TARGET = 2049;

const part = (view: DataView, length: number) => new DataView(view.buffer, view.byteOffset, length);

function put(reply: DataView, bytes: Uint8Array): void {
  bytes.subarray(0, reply.byteLength).forEach((byte, i) => reply.setUint8(i, byte));
}

/** As much of the words, little-endian, as the reply has room for. */
function putWords(reply: DataView, ...words: number[]): void {
  put(reply, new Uint8Array(Int32Array.from(words).buffer));
}
