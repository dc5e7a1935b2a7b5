// What an ST-LINK/V2 is asked and answers, as far as OpenOCD 0.12 uses it (stlink_usb.c).

/** First byte of a command. */
export const GET_VERSION = 0xf1;
export const DEBUG = 0xf2;
export const DFU = 0xf3;
export const GET_CURRENT_MODE = 0xf5;
export const GET_TARGET_VOLTAGE = 0xf7;

/** Second byte of a DEBUG command. */
export const EXIT = 0x21;
export const ENTER = 0x30;
export const READ_IDCODES = 0x31;
export const GETLASTRWSTATUS = 0x3b;
export const DRIVE_NRST = 0x3c;
export const GETLASTRWSTATUS2 = 0x3e;
export const SWD_SET_FREQ = 0x43;
export const READ_DAP_REG = 0x45;
export const WRITE_DAP_REG = 0x46;
export const INIT_AP = 0x4b;
export const CLOSE_AP = 0x4c;

export interface MemoryCommand {
  readonly width: 1 | 2 | 4;
  readonly write: boolean;
  readonly increment: boolean;
}

/** DEBUG commands that read or write a block of memory. */
export const MEMORY_COMMANDS: ReadonlyMap<number, MemoryCommand> = new Map([
  [0x07, { width: 4, write: false, increment: true }],
  [0x08, { width: 4, write: true, increment: true }],
  [0x0c, { width: 1, write: false, increment: true }],
  [0x0d, { width: 1, write: true, increment: true }],
  [0x47, { width: 2, write: false, increment: true }],
  [0x48, { width: 2, write: true, increment: true }],
  [0x50, { width: 4, write: true, increment: false }],
  [0x54, { width: 4, write: false, increment: false }],
]);

/** Third byte of ENTER, and the two modes a probe in application firmware is in. */
export const ENTER_SWD_NO_RESET = 0xa3;
export const MODE_MASS = 1;
export const MODE_DEBUG = 2;

/** Port number of READ_DAP_REG and WRITE_DAP_REG that stands for the DP; the others are APs. */
export const DEBUG_PORT = 0xffff;

/** First byte of a reply. */
export const STATUS_OK = 0x80;
export const STATUS_UNKNOWN_COMMAND = 0x42;
export const STATUS_GET_IDCODE_ERROR = 0x09;
export const STATUS_AP_WAIT = 0x10;
export const STATUS_DP_WAIT = 0x14;
/** Added to one of the last two. */
export const FAULT_INSTEAD = 1;
export const ERROR_INSTEAD = 2;
export const PARITY_INSTEAD = 3;

/** Firmware V2J37S7 on the USB id 0483:3748. */
export const VERSION = Uint8Array.of(0x29, 0x47, 0x83, 0x04, 0x48, 0x37);
