import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Ended, lineside, records, scratch } from '../support/program.ts';

/** Provisions through a port at which no probe is, but `somebody`. */
async function through(somebody: (socket: Socket) => void): Promise<Ended> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    somebody(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await provisionAt((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

async function provisionAt(port: number): Promise<Ended> {
  const directory = join(await scratch(), 'st07');
  await lineside(['init', directory, '--name', 'st07', '--chip', 'nrf52840', '--probe', `a=sim:${port}`]);
  return lineside(['--json', '--station', directory, 'provision']);
}

test('a port where nobody listens is a probe that cannot be reached', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const { code, stdout } = await provisionAt(port);
  expect(code).toBe(4);
  expect(records(stdout)).toMatchObject([{ result: 'fail', id: null, error: 'probe-unreachable' }]);
});

test.for([
  ['hangs up', (socket: Socket) => socket.destroy()],
  [
    'speaks another language',
    (socket: Socket) => socket.on('data', () => socket.write('HTTP/1.1 400\r\n\r\n')),
  ],
] as const)('who %s is no probe', async ([, somebody]) => {
  const { code, stdout } = await through(somebody);
  expect(code).toBe(4);
  expect(records(stdout)).toMatchObject([{ result: 'fail', id: null, error: 'probe-unreachable' }]);
});

test('who takes the call and says nothing is given 15 seconds', async () => {
  const started = Date.now();
  const { code, stdout } = await through(() => {});
  expect(code).toBe(5);
  expect(records(stdout)).toMatchObject([{ result: 'fail', id: null, error: 'openocd-timeout' }]);
  expect(Date.now() - started).toBeLessThan(25_000);
});
