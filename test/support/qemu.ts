import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Gdb } from './gdb.ts';
import { end, startMortal } from './mortal.ts';
import { layCable } from './serial-cable.ts';

/*
 * A Cortex-M4 board that is not there: QEMU's netduinoplus2 with the reference firmware, or whatever its flash is given.
 * The image goes from memory to memory, through the debugger's connection: it holds a private key and is never in a file.
 */

export const flashAddress = 0x0800_0000;
const flashLength = 1 << 20;
/** fixtures/firmware/pages.h. */
const identityOffset = 0xe_0000;
const credentialsOffset = 0xc_0000;

const built = join(import.meta.dirname, '../../build/firmware');
export const elf = join(built, 'lineside.elf');

/** A board's flash: the reference firmware, and what the line wrote. */
export function flashImage(pages: {
  readonly identity?: Uint8Array;
  readonly credentials?: Uint8Array;
}): Buffer {
  const image = Buffer.alloc(flashLength, 0xff);
  image.set(readFileSync(join(built, 'lineside.bin')));
  if (pages.identity) image.set(pages.identity, identityOffset);
  if (pages.credentials) image.set(pages.credentials, credentialsOffset);
  return image;
}

export interface EmulatedBoard {
  /** Where the fixture's serial cable ends: USART1. */
  readonly path: string;
  /** Only while it is halted. */
  readonly gdb: Gdb;
  /** Carries the bytes of USART2 to a broker on this machine and back, from now on, over a connection of its own. */
  connectTo(port: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a board with this flash. `noise` is what the firmware takes for that of the chip, which QEMU does not have.
 * Stop it, or it goes with this process.
 */
export async function startBoard(
  image: Uint8Array,
  noise: Uint8Array = randomBytes(1024),
): Promise<EmulatedBoard> {
  const board = await startHalted();
  await board.gdb.write(flashAddress, image);
  await board.gdb.write(addressOf('noise'), noise);
  await board.gdb.reset();
  board.gdb.run();
  return board;
}

/** The same before its first instruction, with nothing in its flash. */
export async function startHalted(): Promise<EmulatedBoard> {
  const directory = await mkdtemp('/dev/shm/lineside-board-');
  const at = (name: string) => join(directory, name);
  const [debug, network] = await Promise.all([listen(at('debug')), listen(at('network'))]);
  const cable = await layCable(at('serial'));
  const qemu = startMortal('qemu-system-arm', options(at), ['ignore', 'ignore', 'inherit']);
  const sockets = await Promise.all([connection(debug, qemu), connection(network, qemu)]);
  const relay = new Relay(sockets[1]);
  const stop = async () => {
    relay.end();
    await Promise.all([end(qemu), cable.remove()]);
    for (const server of [debug, network]) server.close();
    await rm(directory, { recursive: true });
  };
  return { path: await cable.path, gdb: new Gdb(sockets[0]), connectTo: (port) => relay.to(port), stop };
}

function options(at: (name: string) => string): string[] {
  const socket = (id: string, use: string) => [
    '-chardev',
    `socket,id=${id},path=${at(id)}`,
    use,
    `chardev:${id}`,
  ];
  return [
    ...'-M netduinoplus2 -S -display none -monitor none -nodefaults'.split(' '),
    ...socket('debug', '-gdb'),
    ...socket('serial', '-serial'),
    ...socket('network', '-serial'),
  ];
}

async function listen(path: string): Promise<Server> {
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  return server;
}

async function connection(server: Server, qemu: ChildProcess): Promise<Socket> {
  const died = once(qemu, 'exit').then(() => Promise.reject(new Error('QEMU ended at once')));
  const [socket] = (await Promise.race([once(server, 'connection'), died])) as [Socket];
  return socket.on('error', () => {});
}

/** USART2 has no notion of a connection: each call of `to` makes one, and ends the one before. */
class Relay {
  readonly #board: Socket;
  #broker: Socket | undefined;

  constructor(board: Socket) {
    this.#board = board;
    board.on('data', (bytes) => this.#broker?.write(bytes));
  }

  async to(port: number): Promise<void> {
    this.end();
    const broker = connect({ host: '127.0.0.1', port, noDelay: true });
    broker.on('data', (bytes) => this.#board.write(bytes));
    broker.on('error', () => {}); // a broker that hangs up: the device finds out by itself
    await once(broker, 'connect');
    this.#broker = broker;
  }

  end(): void {
    this.#broker?.destroy();
    this.#broker = undefined;
  }
}

/** The address of a variable of the firmware. */
export function addressOf(symbol: string): number {
  symbols ??= execFileSync('arm-none-eabi-nm', [elf], { encoding: 'latin1' });
  const address = new RegExp(`^([0-9a-f]{8}) \\w ${symbol}$`, 'm').exec(symbols)?.[1];
  if (address === undefined) throw new Error(`the firmware has no "${symbol}"`);
  return Number.parseInt(address, 16);
}

let symbols: string | undefined;
