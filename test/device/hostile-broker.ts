import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { type Random, randomFrom } from '../support/random.ts';
import { clientOf } from './client.ts';
import { id } from './pages.ts';
import { Pki } from './pki.ts';

/**
 * Lets `count` devices in at a broker that has the right certificate and speaks a broken MQTT; each of them must end in
 * order. Returns how often each step was reached.
 */
export async function hostileBroker(seed: number, count: number): Promise<Map<string, number>> {
  const random = randomFrom(seed);
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  const pki = new Pki(directory);
  const [devices, brokers] = [pki.ca('devices'), pki.ca('brokers')];
  const [device, broker] = [pki.device(devices, id), pki.broker(brokers)];
  const pem = { cert: readFileSync(broker.certificate), key: readFileSync(broker.key) };
  const server = createServer({ ...pem, minVersion: 'TLSv1.3', ecdhCurve: 'prime256v1' }, (socket) => {
    socket.on('error', () => {});
    socket.end(conversation(random));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const own = { chain: device.certificate, key: device.key, name: 'broker.example', id };
  const steps = new Map<string, number>();
  for (let at = 0; at < count; at++) {
    const { step } = (await clientOf(port, { anchors: brokers.certificate, ...own })) as { step: string };
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  server.close();
  await rm(directory, { recursive: true });
  return steps;
}

/** What a broker would say, up to some point, and then something else. */
function conversation(random: Random): Buffer {
  const right = [
    Buffer.from([0x20, 3, 0, 0, 0]), // CONNACK
    message(random),
    Buffer.from([0x90, 4, 0, 1, 0, 1]), // SUBACK
    message(random),
    Buffer.from([0x40, 2, 0, 2]), // PUBACK
  ];
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
  if (random.below(3) === 0) return random.bytes(random.below(100));
  if (random.below(3) === 0) return Buffer.from([type, 0xff, 0xff, 0xff, 0x7f]); // 256 MiB
  return packet(
    type,
    random.bytes(random.of([0, 0, 1, 2, 3, 4, 127, 128, 511, 512, 513, random.below(600)])),
  );
}

function packet(type: number, body: Buffer): Buffer {
  const { length } = body;
  const coded = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([type, ...coded]), body]);
}
