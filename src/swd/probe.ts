import { LinesideError } from '../errors.ts';

/** Which programmer: an OpenOCD interface and the serial number of the one probe that is meant. */
export interface Probe {
  readonly name: string;
  readonly interface: Interface;
  /** The probe's USB serial number; for `sim` the TCP port on this PC. */
  readonly serial: string;
}

const interfaces = ['cmsis-dap', 'jlink', 'stlink', 'sim'] as const;
type Interface = (typeof interfaces)[number];

/**
 * Reads `NAME=INTERFACE:SERIAL`. The serial goes into a Tcl command line of OpenOCD, hence the narrow alphabet.
 * @throws LinesideError `bad-probe`
 */
export function parseProbe(text: string): Probe {
  const [, name, kind, serial] = /^([A-Za-z0-9_-]{1,32})=([a-z-]+):([A-Za-z0-9._-]{1,64})$/.exec(text) ?? [];
  const found = interfaces.find((candidate) => candidate === kind);
  if (
    name === undefined ||
    serial === undefined ||
    found === undefined ||
    !(found !== 'sim' || isPort(serial))
  ) {
    throw new LinesideError('bad-probe', { probe: text, interfaces: interfaces.join(', ') });
  }
  return { name, interface: found, serial };
}

export function formatProbe(probe: Probe): string {
  return `${probe.name}=${probe.interface}:${probe.serial}`;
}

/** OpenOCD's adapter commands. Never without a serial number: "the first probe found" may be the wrong fixture. */
export function adapterCommands(probe: Probe): string {
  switch (probe.interface) {
    case 'sim':
      return `adapter driver st-link; st-link backend tcp ${probe.serial}; ${stlinkTransport}`;
    case 'stlink':
      return `adapter driver st-link; ${stlinkTransport}; adapter serial ${probe.serial}`;
    case 'cmsis-dap':
      return `adapter driver cmsis-dap; transport select swd; adapter serial ${probe.serial}`;
    case 'jlink':
      return `adapter driver jlink; transport select swd; adapter serial ${probe.serial}`;
  }
}

/** ST-LINK/V2, V2-1 and V3 by USB product id; direct access to the debug port, as the checks need it. */
const stlinkTransport =
  'st-link vid_pid 0x0483 0x3748 0x0483 0x374b 0x0483 0x374d 0x0483 0x374e 0x0483 0x374f 0x0483 0x3752 ' +
  '0x0483 0x3753; transport select dapdirect_swd';

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) < 65536;
}
