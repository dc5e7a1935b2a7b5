import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Ca, type Field, type Identity, openField } from './field.ts';
import { type Broker, freePort, startBroker } from './mosquitto.ts';
import { connect, type Message, MqttSession, publish, subscribe } from './mqtt.ts';

/*
 * Who reaches which topics. That nothing comes is shown by what comes after it: the broker does one thing after the
 * other, so a message that was to arrive would be there before the last one.
 */

let field: Field;
let ca: Ca;
let own: Identity;
let device: Identity;
let other: Identity;
let backEnd: Identity;

beforeAll(async () => {
  field = await openField();
  ca = await field.ca();
  own = await ca.broker('localhost');
  const [one, two, three] = await ca.devices('ABCD1234', '00C0FFEE', 'FFFFFF01');
  if (!one || !two || !three) throw new Error('no certificates');
  [device, other, backEnd] = [one, two, three];
  await ca.signCrl();
});

afterAll(() => field.close());

const refusedBy = { acl: 0, 'dynamic-security': 0x87 } as const; // not authorized
const foreignFilters = ['private/00C0FFEE/#', 'private/+/up', 'private/#', '#', '+/+/+', '$SYS/#'];

describe.each(['acl', 'dynamic-security'] as const)('%s', (access) => {
  let broker: Broker;
  beforeAll(async () => {
    const port = await freePort();
    const args = ['--access', access, '--backend', 'FFFFFF01', ...ca.told];
    broker = await startBroker(await field.exportFor(port, own, ...args), port);
  });
  afterAll(() => broker.stop());

  test('a device has the topics below its own id, and the back end has those of all', async () => {
    const [sender, all] = [await session(broker, device), await session(broker, backEnd)];
    for (const filter of ['private/ABCD1234', 'private/ABCD1234/#'])
      expect(await sender.ask(subscribe(filter), 'suback')).toMatchObject({ reason: 0 });
    expect(await all.ask(subscribe('private/#'), 'suback')).toMatchObject({ reason: 0 });
    const up = { topic: 'private/ABCD1234/up', text: 'up' };
    expect(await sender.ask(publish(up), 'puback')).toMatchObject({ reason: 0 });
    const down = { topic: 'private/ABCD1234/down', text: 'down' };
    expect(await all.ask(publish(down), 'puback')).toMatchObject({ reason: 0 });
    expect(await arrived(sender, down)).toEqual([up, down]);
    expect(await arrived(all, down)).toEqual([up, down]);
  });

  test.for(foreignFilters)('a subscription to %s gives nothing of others', async (filter) => {
    const [spy, owner] = [await session(broker, device), await session(broker, other)];
    expect(await spy.ask(subscribe('private/ABCD1234/#'), 'suback')).toMatchObject({ reason: 0 });
    expect(await spy.ask(subscribe(filter), 'suback')).toMatchObject({ reason: refusedBy[access] });
    await owner.ask(publish({ topic: 'private/00C0FFEE/up', text: 'secret' }), 'puback');
    await spy.ask(publish(last), 'puback');
    expect(new Set((await arrived(spy, last)).map(({ topic }) => topic))).toEqual(new Set([last.topic]));
  });

  test('what is published to the topic of another does not arrive', async () => {
    const [intruder, owner] = [await session(broker, device), await session(broker, other)];
    await owner.ask(subscribe('private/00C0FFEE/#'), 'suback');
    const mark = broker.mark();
    const order = publish({ topic: 'private/00C0FFEE/down', text: 'open' });
    expect(await intruder.ask(order, 'puback')).toMatchObject({ reason: 0x87 });
    await broker.logged(/Denied PUBLISH from ABCD1234 .*private\/00C0FFEE\/down/, mark);
    const after = { topic: 'private/00C0FFEE/down', text: 'last' };
    await owner.ask(publish(after), 'puback');
    expect(await arrived(owner, after)).toEqual([after]);
  });

  test('a last will on the topic of another does not arrive, and one on its own does', async () => {
    const [owner, all] = [await session(broker, other), await session(broker, backEnd)];
    await owner.ask(subscribe('private/00C0FFEE/#'), 'suback');
    await all.ask(subscribe('private/ABCD1234/#'), 'suback');
    await dies(broker, { topic: 'private/00C0FFEE/down', text: 'will' });
    const after = { topic: 'private/00C0FFEE/down', text: 'last' };
    await owner.ask(publish(after), 'puback');
    expect(await arrived(owner, after)).toEqual([after]);
    const will = { topic: 'private/ABCD1234/up', text: 'will' };
    await dies(broker, will);
    expect(await arrived(all, will)).toEqual([will]);
  });

  test('a device in a shared subscription of others reads nothing, and with dynamic-security takes nothing', async () => {
    const [thief, owner, worker] = [
      await session(broker, device),
      await session(broker, other),
      await session(broker, backEnd),
    ];
    const group = subscribe('$share/workers/private/00C0FFEE/#');
    expect(await worker.ask(group, 'suback')).toMatchObject({ reason: 0 });
    expect(await thief.ask(group, 'suback')).toMatchObject({ reason: refusedBy[access] });
    const sent = Array.from({ length: 10 }, (_, at) => ({ topic: 'private/00C0FFEE/up', text: String(at) }));
    for (const message of sent) await owner.ask(publish(message), 'puback');
    await worker.ask(subscribe('private/ABCD1234/#'), 'suback');
    await thief.ask(subscribe('private/ABCD1234/#'), 'suback');
    await thief.ask(publish(last), 'puback');
    expect(await arrived(thief, last)).toEqual([last]);
    const got = await arrived(worker, last);
    // what the pattern file cannot hinder, and why it is not the default: half of them are lost
    expect(got.length).toBe(access === 'acl' ? 6 : 11);
  });

  test('a device that takes the client id of another does not throw it off', async () => {
    const owner = await session(broker, other);
    await session(broker, device, '00C0FFEE');
    await owner.ask(subscribe('private/00C0FFEE/#'), 'suback');
    const after = { topic: 'private/00C0FFEE/up', text: 'still here' };
    await owner.ask(publish(after), 'puback');
    expect(await arrived(owner, after)).toEqual([after]);
    const mark = broker.mark();
    await session(broker, other); // as its own certificate does
    await broker.logged(/Client 00C0FFEE already connected, closing old connection/, mark);
    expect(await owner.next(({ type }) => type === 'connack', owner.received.length)).toBeUndefined();
  });

  test('a message over what a device has room for is not taken', async () => {
    const all = await session(broker, backEnd);
    const large = publish({ topic: 'private/ABCD1234/down', text: 'x'.repeat(4096) });
    expect(await all.ask(large, 'disconnect')).toMatchObject({ reason: 0x95 });
  });

  test('a device that was certified after the export has its topics with acl alone', async () => {
    const [late] = await ca.devices(access === 'acl' ? '000000A1' : '000000A2');
    if (!late) throw new Error('no certificate');
    const id = access === 'acl' ? '000000A1' : '000000A2';
    const newcomer = await session(broker, late);
    const reason = access === 'acl' ? 0 : 0x87;
    expect(await newcomer.ask(subscribe(`private/${id}/#`), 'suback')).toMatchObject({ reason });
    const up = publish({ topic: `private/${id}/up`, text: 'hello' });
    expect(await newcomer.ask(up, 'puback')).toMatchObject({ reason });
  });
});

test('without the access rules the same subscriptions would give everything', async () => {
  const port = await freePort();
  const prefix = await field.exportFor(port, own, '--access', 'acl', ...ca.told);
  const conf = readFileSync(`${prefix}/mosquitto.conf`, 'utf8').replace(/^acl_file.*$/m, '');
  const broker = await startBroker(prefix, port, { conf: field.file('conf', conf) });
  onTestFinished(() => broker.stop());
  for (const filter of foreignFilters) {
    const [spy, owner] = [await session(broker, device), await session(broker, other)];
    await spy.ask(subscribe(filter), 'suback');
    const secret = { topic: 'private/00C0FFEE/up', text: 'secret' };
    await owner.ask(publish(secret), 'puback');
    const expected = filter.startsWith('$SYS') ? /^\$SYS/ : /^private\/00C0FFEE/;
    const found = await spy.next((packet) => packet.type === 'message' && expected.test(packet.topic));
    expect(found).toBeDefined();
  }
});

const last: Message = { topic: 'private/ABCD1234/up', text: 'last' };

/** A device or back end that is connected, until the test is over. */
async function session(
  broker: Broker,
  identity: Identity,
  clientId = '',
  will?: Message,
): Promise<MqttSession> {
  const [key, cert] = [readFileSync(identity.key), readFileSync(identity.certificate)];
  const anchors = readFileSync(ca.certificate('broker'));
  const tls = { ca: anchors, key, cert, minVersion: 'TLSv1.3', ecdhCurve: 'P-256' } as const;
  const socket = connectTls({ port: broker.port, host: '127.0.0.1', servername: 'localhost', ...tls });
  socket.on('error', () => {}); // the session sees the end
  onTestFinished(() => void socket.destroy());
  const opened = new MqttSession(socket, socket);
  expect(await opened.ask(connect(clientId, will), 'connack')).toEqual({ type: 'connack', reason: 0 });
  return opened;
}

/** A device that is gone without a word, and leaves a will. */
async function dies(broker: Broker, will: Message): Promise<void> {
  const mark = broker.mark();
  const mortal = await session(broker, device, '', will);
  mortal.cut();
  await broker.logged(/Client ABCD1234 (closed its connection|disconnected)/, mark);
}

/** Every message up to this one. */
async function arrived(session: MqttSession, upTo: Message): Promise<Message[]> {
  const isLast = (each: Message) => each.topic === upTo.topic && each.text === upTo.text;
  await session.next((packet) => packet.type === 'message' && isLast(packet));
  return session.received.flatMap((packet) =>
    packet.type === 'message' ? [{ topic: packet.topic, text: packet.text }] : [],
  );
}
