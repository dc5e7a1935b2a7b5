import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { COMPARE_WORDS, NO_WORK_AREA, openocd, startOpenocd, WRITE_WORDS } from './openocd.ts';

const WRITE = `init; halt; ${WRITE_WORDS}; ${COMPARE_WORDS}; shutdown`;

let boards: Board[];

beforeEach(async () => {
  boards = [];
});

afterEach(async () => {
  await Promise.all(boards.map((board) => board.close()));
});

async function newBoard(uniqueId?: bigint): Promise<Board> {
  const board = await startBoard({ index: boards.length, ...(uniqueId !== undefined && { uniqueId }) });
  boards.push(board);
  return board;
}

async function connected(board: Board): Promise<Socket> {
  const socket = connect(board.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

test('four boards at once do not disturb each other', async () => {
  const four = await Promise.all([1n, 2n, 3n, 4n].map((id) => newBoard(id)));
  const runs = await Promise.all(
    four.map((board) =>
      openocd(board, `init; halt; flash fillw 0x1000 [expr ${board.uniqueId} * 0x01010101] 1024; shutdown`),
    ),
  );
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(four.map((board) => [...board.flash.subarray(0x1fff, 0x2001)])).toEqual(
    [1, 2, 3, 4].map((id) => [id, 0xff]),
  );
  expect(new Set(four.map(({ port }) => port)).size).toBe(4);
});

test('one OpenOCD after the other uses the same board', async () => {
  const board = await newBoard();
  for (let i = 0; i < 3; i++) expect((await openocd(board, WRITE)).output).toContain('MATCH');
});

test('unique numbers are unique, and a swap brings a blank board with another one', async () => {
  const [a, b] = [await newBoard(), await newBoard()];
  expect(a.uniqueId).not.toBe(b.uniqueId);
  const before = a.uniqueId;
  await openocd(a, WRITE);
  a.config[0x208] = 0;
  a.powerCycle();
  a.setFaults(['stuck-lock']);
  a.swap();
  expect(a.uniqueId).not.toBe(before);
  expect(a.flash.every((byte) => byte === 0xff)).toBe(true);
  const { output } = await openocd(a, WRITE);
  expect(output).not.toContain('AP lock engaged');
  expect(output).toContain('MATCH');
});

test('a swap arms the faults again', async () => {
  const board = await newBoard();
  board.setFaults(['unplugged@16']);
  for (let i = 0; i < 2; i++) {
    expect((await openocd(board, WRITE, NO_WORK_AREA)).output).toContain('failed to write memory');
    board.swap();
  }
});

test('an OpenOCD that is killed in the middle of a transfer leaves the board usable', async () => {
  const board = await newBoard();
  const child = startOpenocd(board, 'init; halt; flash fillw 0 0 50000; shutdown');
  await new Promise<void>((resolve) => {
    board.onFlashWrite = (address) => {
      if (address >= 0x4000) resolve();
    };
  });
  child.kill('SIGKILL');
  await once(child, 'close');
  expect((await openocd(board, WRITE)).output).toContain('MATCH');
});

test('a second user is told that the device is in use', async () => {
  const board = await newBoard();
  const first = await connected(board);
  first.write(Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 0)); // OPEN_DEV
  await once(first, 'data');
  expect((await openocd(board, 'init; shutdown')).output).toContain('the selected device is already used');
  first.destroy();
  await once(first, 'close');
  expect((await openocd(board, WRITE)).output).toContain('MATCH');
});

test.each([
  ['an unknown request', Uint8Array.of(0xff)],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  [
    'a command with 4 GiB of data',
    Buffer.concat([Uint8Array.of(5), Buffer.alloc(27), Buffer.alloc(4, 0xff)]),
  ],
])('%s ends the connection, not the board', async (_name, bytes) => {
  const board = await newBoard();
  const socket = await connected(board);
  socket.on('error', () => {});
  socket.resume().write(bytes);
  await once(socket, 'close');
  expect((await openocd(board, WRITE)).output).toContain('MATCH');
});

test('a client that leaves in the middle of a request is forgotten', async () => {
  const board = await newBoard();
  const socket = await connected(board);
  socket.write(Uint8Array.of(5, 0, 0));
  socket.destroy();
  await once(socket, 'close');
  expect((await openocd(board, WRITE)).output).toContain('MATCH');
});

test('any ST-Link command with any arguments gets its reply', async () => {
  const board = await newBoard();
  const unknown: string[] = [];
  board.onUnimplemented = (what) => unknown.push(what);
  const socket = await connected(board);
  socket.write(Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 0));
  await once(socket, 'data');
  for (let second = 0; second < 256; second++) {
    const request = Buffer.alloc(32, (second * 37) & 0xff);
    request.writeUInt8(5, 0);
    request.writeUInt8(0xf2, 8);
    request.writeUInt8(second, 9);
    request.writeUInt8(1, 24);
    request.writeUInt32LE(second % 16, 28);
    socket.write(request);
    const [reply] = await once(socket, 'data');
    expect(reply).toHaveLength(4 + (second % 16));
  }
  expect(unknown.length).toBeGreaterThan(200);
  socket.destroy();
  await once(socket, 'close');
  expect((await openocd(board, WRITE)).output).toContain('MATCH');
});
