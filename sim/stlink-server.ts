import { createServer, type Server, type Socket } from 'node:net';
import type { StlinkProbe } from './stlink-probe.ts';

// The protocol of ST's stlink-server, little-endian, as OpenOCD 0.12 speaks it (stlink_usb.c, "TCP backend").
const REFRESH_DEVICE_LIST = 0x00;
const GET_NB_DEV = 0x01;
const GET_DEV_INFO = 0x02;
const OPEN_DEV = 0x03;
const CLOSE_DEV = 0x04;
const SEND_USB_CMD = 0x05;
const GET_SERVER_VERSION = 0x06;

const REQUEST_SIZE: ReadonlyMap<number, number> = new Map([
  [REFRESH_DEVICE_LIST, 2],
  [GET_NB_DEV, 1],
  [GET_DEV_INFO, 8],
  [OPEN_DEV, 8],
  [CLOSE_DEV, 8],
  [SEND_USB_CMD, 32],
  [GET_SERVER_VERSION, 4],
]);

const SS_OK = 1;
const SS_BAD_PARAMETER = 0x1002;
const SS_OPEN_ERR = 0x1003;

// Version 1 would cap packets at 1 KiB, version 3 would turn on the RW_MISC commands.
const API_VERSION = 2;
const DEVICE_ID = 1;
const CONNECT_ID = 1;
const VID = 0x0483;
const PID = 0x3748;
// OpenOCD's own send buffer: anything longer is not OpenOCD.
const MAX_DATA = 10240;

export class StlinkServer {
  readonly #probe: StlinkProbe;
  readonly #serial: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #user: Socket | undefined;

  constructor(probe: StlinkProbe, serial: string) {
    this.#probe = probe;
    this.#serial = serial;
  }

  get port(): number {
    return this.#port;
  }

  /** Port 0 takes any free one; it stays the same one from then on. */
  async listen(port: number): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** The probe is pulled out: connections are cut, new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      received = this.#takeRequests(socket, received);
    });
    // A debugger that is killed resets the connection; there is nobody left to tell.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#user === socket) this.#user = undefined;
    });
  }

  /** Answers every complete request, and returns the bytes of the one that is not. */
  #takeRequests(socket: Socket, received: Buffer): Buffer {
    let rest = received;
    while (rest.length > 0 && !socket.destroyed) {
      const size = requestSize(rest);
      if (size === undefined) {
        socket.destroy();
        break;
      }
      if (rest.length < size) return rest;
      const reply = this.#answer(socket, rest.subarray(0, size));
      if (!socket.destroyed) socket.write(reply);
      rest = rest.subarray(size);
    }
    return Buffer.alloc(0);
  }

  #answer(socket: Socket, request: Buffer): Buffer {
    switch (request[0]) {
      case GET_SERVER_VERSION:
        return words(API_VERSION, 1, 0, 0);
      case GET_NB_DEV:
        return words(1);
      case GET_DEV_INFO:
        return this.#deviceInfo(socket);
      case OPEN_DEV:
        return this.#open(socket);
      case CLOSE_DEV:
        if (this.#user === socket) this.#user = undefined;
        return words(SS_OK);
      case SEND_USB_CMD:
        return this.#command(socket, request);
      default:
        return words(SS_OK);
    }
  }

  #deviceInfo(socket: Socket): Buffer {
    const info = Buffer.alloc(45);
    info.writeUInt32LE(SS_OK, 0);
    info.writeUInt32LE(DEVICE_ID, 4);
    info.write(this.#serial, 8, 32, 'latin1');
    info.writeUInt16LE(VID, 40);
    info.writeUInt16LE(PID, 42);
    info[44] = this.#isUsedByAnother(socket) ? 1 : 0;
    return info;
  }

  #open(socket: Socket): Buffer {
    if (this.#isUsedByAnother(socket)) return words(SS_OPEN_ERR, 0);
    this.#user = socket;
    return words(SS_OK, CONNECT_ID);
  }

  #isUsedByAnother(socket: Socket): boolean {
    return this.#user !== undefined && this.#user !== socket;
  }

  #command(socket: Socket, request: Buffer): Buffer {
    const size = isRead(request) ? request.readUInt32LE(28) : 0;
    const reply = Buffer.alloc(4 + size);
    if (this.#user !== socket) {
      reply.writeUInt32LE(SS_BAD_PARAMETER, 0);
      return reply;
    }
    reply.writeUInt32LE(SS_OK, 0);
    this.#probe.execute(view(request.subarray(8, 24)), view(request.subarray(32)), view(reply.subarray(4)));
    return reply;
  }
}

const isRead = (request: Buffer) => request[24] === 1;
const view = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Undefined for what no stlink-server client would send. */
function requestSize(received: Buffer): number | undefined {
  const fixed = REQUEST_SIZE.get(received[0] ?? -1);
  if (received[0] !== SEND_USB_CMD || received.length < 32) return fixed;
  const data = received.readUInt32LE(28);
  if (data > MAX_DATA || (received[24] !== 0 && received[24] !== 1)) return undefined;
  return isRead(received) ? 32 : 32 + data;
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => buffer.writeUInt32LE(value, 4 * i));
  return buffer;
}
