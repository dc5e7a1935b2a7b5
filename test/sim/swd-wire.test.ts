import { beforeEach, describe, expect, test } from 'vitest';
import type { AccessPort } from '../../sim/access-port.ts';
import { BusFault } from '../../sim/bus.ts';
import {
  ABORT,
  ACK_FAULT,
  ACK_OK,
  ACK_WAIT,
  CTRL_STAT,
  DebugPort,
  DPIDR,
  ORUNDETECT,
  RDBUFF,
  SELECT,
  STICKYERR,
  STICKYORUN,
  WDATAERR,
} from '../../sim/debug-port.ts';
import { Faults } from '../../sim/faults.ts';
import { BAD_PARITY, requestByte, SwdHost } from '../../sim/swd-host.ts';
import { RELEASED, SwdTarget } from '../../sim/swd-target.ts';

const NO_ANSWER = 0b111;
const POWER_UP = 0x50000000;
const TAR = 0x4;
const FAULTY = 0xc;

/** An AP that remembers writes, and faults on register 0xC. */
class RegisterFile implements AccessPort {
  readonly registers = new Map<number, number>();
  read(register: number): number {
    if (register === FAULTY) throw new BusFault(register);
    return this.registers.get(register) ?? 0;
  }
  write(register: number, value: number): void {
    if (register === FAULTY) throw new BusFault(register);
    this.registers.set(register, value);
  }
}

let faults: Faults;
let ap: RegisterFile;
let wire: { driven: number; level: number }[];
let target: SwdTarget;
let line: { clock(driven: number): number };
let host: SwdHost;

beforeEach(() => {
  faults = new Faults();
  ap = new RegisterFile();
  wire = [];
  const dp = new DebugPort((apsel) => (apsel === 0 ? ap : undefined), faults);
  target = new SwdTarget(dp, () => true, faults);
  line = {
    clock(driven) {
      const level = target.clock(driven);
      wire.push({ driven, level });
      return level;
    },
  };
  host = new SwdHost(line);
});

function connect(): void {
  host.connect();
  expect(host.read(false, DPIDR)).toBe(ACK_OK);
}

function powerUp(): void {
  connect();
  expect(host.write(false, CTRL_STAT, POWER_UP)).toBe(ACK_OK);
}

function ctrlStat(): number {
  expect(host.read(false, CTRL_STAT)).toBe(ACK_OK);
  return host.data;
}

function send(bits: number, count: number): void {
  for (let i = 0; i < count; i++) line.clock((bits >>> i) & 1);
}

function sendRequest(request: number): number {
  send(request, 8);
  line.clock(RELEASED);
  return line.clock(RELEASED) | (line.clock(RELEASED) << 1) | (line.clock(RELEASED) << 2);
}

describe('the line', () => {
  test('reads high when there is no target on it', () => {
    faults.replace(['absent']);
    host.connect();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
    expect(wire.filter(({ driven }) => driven === RELEASED).every(({ level }) => level === 1)).toBe(true);
  });

  test('carries a DPIDR read as ADIv5.2 figure B4-2 shows it', () => {
    host.connect();
    wire = [];
    host.read(false, DPIDR);
    const request = wire.slice(0, 8).map(({ driven }) => driven);
    expect(request).toEqual([1, 0, 1, 0, 0, 1, 0, 1]);
    expect(wire.slice(8).every(({ driven }) => driven === RELEASED)).toBe(true);
    expect(wire.slice(9, 12).map(({ level }) => level)).toEqual([1, 0, 0]);
    const data = wire.slice(12, 44).reduce((word, { level }, i) => word | (level << i), 0);
    expect(data >>> 0).toBe(0x2ba01477);
    expect(wire[44]?.level).toBe(0); // 0x2ba01477 has fourteen ones
    expect(wire).toHaveLength(46);
  });

  test('carries a write with a turnaround between ACK and data, and none after', () => {
    connect();
    wire = [];
    host.write(false, SELECT, 0x80000001 | 0);
    expect(wire.map(({ driven }) => driven).slice(8, 13)).toEqual(Array.from({ length: 5 }, () => RELEASED));
    const data = wire.slice(13, 45).reduce((word, { driven }, i) => word | (driven << i), 0);
    expect(data >>> 0).toBe(0x80000001);
    expect(wire).toHaveLength(46);
  });
});

describe('connecting', () => {
  test('needs the JTAG-to-SWD sequence', () => {
    host.lineReset();
    host.idle();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
    host.connect();
    expect(host.read(false, DPIDR)).toBe(ACK_OK);
  });

  test('needs fifty ones before the sequence', () => {
    send(-1, 32);
    send(-1, 17);
    send(0xe79e, 16);
    host.lineReset();
    host.idle();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
  });

  test('needs a line reset after the sequence', () => {
    host.lineReset();
    send(0xe79e, 16);
    host.idle();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
  });

  test('needs DPIDR to be read first', () => {
    host.connect();
    expect(host.read(false, CTRL_STAT)).toBe(NO_ANSWER);
    host.lineReset();
    host.idle();
    expect(host.read(false, DPIDR)).toBe(ACK_OK);
    expect(host.read(false, CTRL_STAT)).toBe(ACK_OK);
  });

  test('is undone by the SWD-to-JTAG sequence', () => {
    connect();
    host.lineReset();
    send(0xe73c, 16);
    host.lineReset();
    host.idle();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
  });
});

describe('a protocol error', () => {
  const good = requestByte(false, true, DPIDR);
  test.each([
    ['parity', good ^ 0x20],
    ['stop bit', good ^ 0x40],
    ['park bit', good ^ 0x80],
  ])('in the %s is not answered, nor is anything until a line reset', (_bit, request) => {
    connect();
    expect(sendRequest(request)).toBe(NO_ANSWER);
    host.idle();
    expect(host.read(false, DPIDR)).toBe(NO_ANSWER);
    host.lineReset();
    host.idle();
    expect(host.read(false, DPIDR)).toBe(ACK_OK);
  });

  test('in write data sets WDATAERR and writes nothing', () => {
    powerUp();
    expect(sendRequest(requestByte(true, false, TAR))).toBe(ACK_OK);
    line.clock(RELEASED);
    send(1, 32);
    send(0, 1);
    expect(ap.registers.size).toBe(0);
    expect(ctrlStat() & WDATAERR).toBe(WDATAERR);
    expect(host.write(true, TAR, 1)).toBe(ACK_FAULT);
    host.write(false, ABORT, 0x8);
    expect(host.write(true, TAR, 1)).toBe(ACK_OK);
  });

  test('in read data is seen by the host as wrong parity', () => {
    connect();
    faults.replace(['parity-once']);
    expect(host.read(false, DPIDR)).toBe(BAD_PARITY);
    expect(host.read(false, DPIDR)).toBe(ACK_OK);
  });
});

describe('the debug port', () => {
  test('acknowledges the power-up request', () => {
    connect();
    expect(ctrlStat()).toBe(0);
    host.write(false, CTRL_STAT, POWER_UP);
    expect(ctrlStat() >>> 28).toBe(0b1111);
  });

  test('refuses AP accesses without debug power', () => {
    connect();
    host.write(true, TAR, 1);
    expect(ctrlStat() & STICKYERR).toBe(STICKYERR);
  });

  test('returns AP reads one access late, and the last one in RDBUFF', () => {
    powerUp();
    host.write(true, 0x0, 0x1111);
    host.write(true, TAR, 0x2222);
    host.read(true, 0x0);
    host.read(true, TAR);
    expect(host.data).toBe(0x1111);
    host.read(false, RDBUFF);
    expect(host.data).toBe(0x2222);
  });

  test('addresses AP registers by APSEL and APBANKSEL; an AP that is not there reads zero', () => {
    powerUp();
    host.write(false, SELECT, 0xf0);
    host.write(true, 0xc, 0x24770011);
    expect(ap.registers.get(0xfc)).toBe(0x24770011);
    host.write(false, SELECT, 0x010000f0);
    host.read(true, 0xc);
    host.read(false, RDBUFF);
    expect(host.data).toBe(0);
  });

  test('answers FAULT after an error until ABORT clears it, but lets CTRL/STAT and DPIDR be read', () => {
    powerUp();
    expect(host.write(true, FAULTY, 1)).toBe(ACK_OK); // posted
    expect(host.write(true, TAR, 1)).toBe(ACK_FAULT);
    expect(host.read(false, RDBUFF)).toBe(ACK_FAULT);
    expect(host.write(false, CTRL_STAT, POWER_UP)).toBe(ACK_FAULT);
    expect(host.read(false, DPIDR)).toBe(ACK_OK);
    expect(ctrlStat() & STICKYERR).toBe(STICKYERR);
    expect(host.write(false, ABORT, 0x18)).toBe(ACK_OK); // the other flags
    expect(host.write(true, TAR, 1)).toBe(ACK_FAULT);
    expect(host.write(false, ABORT, 0x4)).toBe(ACK_OK);
    expect(host.write(true, TAR, 7)).toBe(ACK_OK);
    expect(ap.registers.get(TAR)).toBe(7);
  });

  test('has no data phase after WAIT, and does not carry out the access', () => {
    powerUp();
    faults.waits = 1;
    wire = [];
    expect(host.write(true, TAR, 5)).toBe(ACK_WAIT);
    expect(wire).toHaveLength(13);
    expect(ap.registers.has(TAR)).toBe(false);
    expect(host.write(true, TAR, 5)).toBe(ACK_OK);
  });

  test('always has a data phase with ORUNDETECT, and sets STICKYORUN', () => {
    powerUp();
    host.write(false, CTRL_STAT, POWER_UP | ORUNDETECT);
    host.overrunDetect = true;
    faults.waits = 1;
    wire = [];
    expect(host.write(true, TAR, 5)).toBe(ACK_WAIT);
    expect(wire).toHaveLength(46);
    expect(host.write(true, TAR, 5)).toBe(ACK_FAULT);
    expect(ap.registers.has(TAR)).toBe(false);
    expect(ctrlStat() & STICKYORUN).toBe(STICKYORUN);
    host.write(false, ABORT, 0x10);
    expect(host.write(true, TAR, 5)).toBe(ACK_OK);
  });
});
