import { closeSync, constants, openSync } from 'node:fs';
import { end, saysLine, startMortal } from './mortal.ts';

/** A serial cable: a pty for the station, and for the device a socket that it connects to. */
export interface SerialCable {
  /** Once the device has connected. */
  readonly path: Promise<string>;
  readonly remove: () => Promise<void>;
}

export async function layCable(socket: string): Promise<SerialCable> {
  const ends = [`UNIX-LISTEN:${socket}`, 'PTY,rawer'];
  const socat = startMortal('socat', ['-d', '-d', ...ends], ['ignore', 'ignore', 'pipe']);
  let held: number | undefined;
  const path = saysLine(socat.stderr, /PTY is (\S+)/).then((name) => {
    // It stays plugged in: a pty that nobody has open hangs up, and socat with it.
    held = openSync(name, constants.O_RDWR | constants.O_NOCTTY);
    return name;
  });
  await saysLine(socat.stderr, /listening on/);
  const remove = async () => {
    await end(socat);
    if (held !== undefined) closeSync(held);
    held = undefined;
  };
  return { path, remove };
}
