import { type Chip, hexAddress, readWord } from '../chip.ts';

/** nRF52840 Product Specification v1.7; addresses in the order of its memory map (section 4.2). */
const ficr = {
  codePageSize: 0x10000010, // 4.4.1.1, bytes
  codeSize: 0x10000014, // 4.4.1.2, pages
  deviceId0: 0x10000060, // 4.4.1.3
  deviceId1: 0x10000064,
  infoPart: 0x10000100, // 4.4.1.9
};
const uicr = { approtect: 0x10001208 }; // 4.5.1.4: PALL 0x00 = protected, taken up at reset
const nvmc = {
  ready: 0x4001e400, // 4.3.9.1
  config: 0x4001e504, // 4.3.9.3: 0 read-only, 1 write enable
};

/** CTRL-AP, the access port that still answers on a protected chip (6.3.4): port number and registers. */
const ctrlAp = 'nrf52.dap apreg 1';
const ctrlApRegister = { approtectStatus: '0xC', idr: '0xFC' };

const cpuid = 0xe000ed00; // ARMv7-M ARM B3.2.3: Arm, Cortex-M4; variant and revision left open
const everyBit = 0xffffffff;

export const nrf52840: Chip = {
  name: 'nrf52840',
  targetScript: 'target/nrf52.cfg',
  core: 'nrf52.cpu',
  flash: { start: 0, end: 0x100000 },
  credentialsPage: 0xfe000,
  identityPage: 0xff000,
  factoryPageSize: 0x1000,
  portChecks: [
    { read: 'nrf52.dap dpreg 0', mask: everyBit, expected: 0x2ba01477, error: 'wrong-debug-port' },
    {
      read: `${ctrlAp} ${ctrlApRegister.idr}`,
      mask: everyBit,
      expected: 0x02880000,
      error: 'wrong-control-port',
    },
  ],
  unlocked: `${ctrlAp} ${ctrlApRegister.approtectStatus}`,
  chipChecks: [
    { read: readWord(cpuid), mask: 0xff0ffff0, expected: 0x410fc240, error: 'wrong-core' },
    { read: readWord(ficr.infoPart), mask: everyBit, expected: 0x52840, error: 'wrong-chip' },
    { read: readWord(ficr.codePageSize), mask: everyBit, expected: 0x1000, error: 'wrong-flash-size' },
    { read: readWord(ficr.codeSize), mask: everyBit, expected: 0x100, error: 'wrong-flash-size' },
  ],
  uid: [ficr.deviceId1, ficr.deviceId0],
  flashWrite: {
    open: `mww ${hexAddress(nvmc.config)} 1`,
    close: `mww ${hexAddress(nvmc.config)} 0`,
    // What the NVMC does not take is a bus fault, and so an error of the write itself.
    status: { register: nvmc.ready, mask: 1, done: 1, errors: 0 },
  },
  lock: `flash probe 1; flash fillw ${hexAddress(uicr.approtect)} 0xFFFFFF00 1`,
  recover: 'nrf52_recover',
};
