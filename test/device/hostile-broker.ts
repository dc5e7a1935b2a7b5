import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import type { JoinReport } from '../../src/uart/answers.ts';
import { type Random, randomFrom } from '../support/random.ts';
import { clientOf } from './client.ts';
import { id } from './pages.ts';
import { Pki } from './pki.ts';

/** What a device says of a broker that has the right certificate and then sends these bytes, for each of them. */
export async function devicesTold(conversations: readonly Uint8Array[]): Promise<JoinReport[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  const pki = new Pki(directory);
  const [devices, brokers] = [pki.ca('devices'), pki.ca('brokers')];
  const [device, broker] = [pki.device(devices, id), pki.broker(brokers)];
  const pem = { cert: readFileSync(broker.certificate), key: readFileSync(broker.key) };
  let next = 0;
  const server = createServer({ ...pem, minVersion: 'TLSv1.3', ecdhCurve: 'prime256v1' }, (socket) => {
    socket.on('error', () => {});
    socket.end(conversations[next] ?? new Uint8Array());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const own = { chain: device.certificate, key: device.key, name: 'broker.example', id };
  const reports: JoinReport[] = [];
  for (; next < conversations.length; next++)
    reports.push(await clientOf(port, { anchors: brokers.certificate, ...own }));
  server.close();
  await rm(directory, { recursive: true });
  return reports;
}

/** The same with `count` conversations that go wrong somewhere. Returns how often each step was reached. */
export async function hostileBroker(seed: number, count: number): Promise<Map<string, number>> {
  const random = randomFrom(seed);
  const steps = new Map<string, number>();
  for (const { step } of await devicesTold(Array.from({ length: count }, () => conversation(random))))
    steps.set(step, (steps.get(step) ?? 0) + 1);
  return steps;
}

export const connack = Buffer.from([0x20, 3, 0, 0, 0]);
export const suback = Buffer.from([0x90, 4, 0, 1, 0, 1]);
export const puback = Buffer.from([0x40, 2, 0, 2]);

/** What a broker would say, up to some point, and then something else. */
function conversation(random: Random): Buffer {
  const right = [connack, message(random), suback, message(random), puback];
  const said = right.slice(0, random.below(right.length + 1));
  return Buffer.concat([...said, random.below(4) === 0 ? Buffer.alloc(0) : wrong(random)]);
}

/** PUBLISH on the device's topic, with properties and QoS of any kind. */
function message(random: Random): Buffer {
  const quality = random.of([0, 1, 1, 2]);
  const topic = Buffer.from(`\0\x15private/${id}/down`, 'latin1');
  const packetId = quality === 0 ? Buffer.alloc(0) : random.bytes(2);
  const properties = Buffer.from([random.of([0, 0, 3, 0x7f, 0x80, 0xff]), ...random.bytes(3)]);
  const body = Buffer.concat([topic, packetId, properties, random.bytes(random.below(200))]);
  return packet(0x30 | (quality << 1), body);
}

function wrong(random: Random): Buffer {
  const type = random.of([0x20, 0x30, 0x32, 0x40, 0x90, 0xd0, 0xe0, random.below(256)]);
  switch (random.below(4)) {
    case 0:
      return random.bytes(random.below(100));
    case 1: // it says 256 MiB
      return Buffer.from([type, 0xff, 0xff, 0xff, 0x7f]);
    case 2: // more than the device has room for
      return packet(type, random.bytes(random.of([513, 600, 4000 + random.below(9000)])));
    default:
      return packet(type, random.bytes(random.of([0, 1, 2, 3, 4, 127, 128, 511, 512])));
  }
}

export function packet(type: number, body: Buffer): Buffer {
  const { length } = body;
  const coded = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([type, ...coded]), body]);
}
