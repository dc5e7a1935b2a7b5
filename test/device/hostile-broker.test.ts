import { expect, test } from 'vitest';
import { connack, devicesTold, hostileBroker, packet, puback, suback } from './hostile-broker.ts';

/* MQTT 5.0 section 2.4. */
const [malformed, protocolError, tooLarge] = [0x81, 0x82, 0x95];
const longRecord = -0x7100; // MBEDTLS_ERR_SSL_BAD_INPUT_DATA
const hungUp = -0x7280; // MBEDTLS_ERR_SSL_CONN_EOF

const topic = Buffer.from('\0\x04down');
const publish = (flags: number, ...rest: readonly Uint8Array[]) => packet(0x30 | flags, Buffer.concat(rest));
const bytes = (...values: readonly number[]) => Buffer.from(values);
const online = [connack, suback];

const conversations: [what: string, step: string, error: number, said: readonly Uint8Array[]][] = [
  ['all as it should be', 'done', 0, [...online, puback]],
  ['messages in between', 'done', 0, [connack, publish(0, topic, bytes(0, 7)), suback, puback]],
  ['nothing', 'connack', hungUp, []],
  ['a refusal', 'connack', 0x87, [packet(0x20, bytes(0, 0x87, 0))]],
  ['a CONNACK that says nothing', 'connack', malformed, [packet(0x20, bytes()), ...online, puback]],
  ['a SUBACK that says nothing', 'suback', malformed, [connack, packet(0x90, bytes(0, 1)), puback]],
  ['a packet of another kind', 'connack', protocolError, [packet(0x50, bytes(0, 1))]],
  ['more than the device has room for', 'connack', tooLarge, [packet(0x20, Buffer.alloc(513))]],
  ['much more than that', 'connack', tooLarge, [packet(0x20, Buffer.alloc(4000, 7))]],
  ['a record that TLS has no room for', 'connack', longRecord, [packet(0x20, Buffer.alloc(10_000, 7))]],
  ['256 MiB', 'connack', tooLarge, [bytes(0x20, 0xff, 0xff, 0xff, 0x7f)]],
  ['a length without end', 'connack', tooLarge, [bytes(0x20, 0xff, 0xff, 0xff, 0xff, 0xff)]],
  ['a refused subscription', 'suback', 0x87, [connack, packet(0x90, bytes(0, 1, 0, 0x87))]],
  ['an answer to another subscription', 'suback', protocolError, [connack, packet(0x90, bytes(0, 9, 0, 1))]],
  ['a refused message', 'puback', 0x87, [...online, packet(0x40, bytes(0, 2, 0x87, 0))]],
  ['a hurry', 'puback', 0x8b, [...online, packet(0xe0, bytes(0x8b, 0))]],
  ['a topic over the end', 'puback', malformed, [...online, publish(0, bytes(0, 9, 1))]],
  ['a message without its number', 'puback', malformed, [...online, publish(2, topic, bytes(0))]],
  ['a message without properties', 'puback', malformed, [...online, publish(0, topic)]],
  ['properties over the end', 'puback', malformed, [...online, publish(0, topic, bytes(9, 1))]],
  ['many properties over the end', 'puback', malformed, [...online, publish(0, topic, bytes(0xff, 0x7f))]],
  ['a length of properties without end', 'puback', malformed, [...online, publish(0, topic, bytes(0x80))]],
  ['QoS 2', 'puback', malformed, [...online, publish(4, topic, bytes(0, 1, 0))]],
];

test('what a device makes of a broker that is the right one and says this', async () => {
  const reports = await devicesTold(conversations.map(([, , , said]) => Buffer.concat(said)));
  const found = reports.map(({ step, error }, at) => [conversations[at]?.[0], step, error]);
  expect(found).toEqual(conversations.map(([what, step, error]) => [what, step, error]));
});

test('a device ends in order when the right broker speaks a broken MQTT', async () => {
  const steps = await hostileBroker(Date.now(), 25);
  expect(steps.size).toBeGreaterThan(1); // control: not all of them fail at once
});
