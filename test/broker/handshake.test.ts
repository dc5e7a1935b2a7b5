import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokerTbs, deviceTbs, type Issuer, type Subject } from '../../src/ca/profile.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { type Field, type Identity, lookalike, openField } from './field.ts';
import { type Broker, freePort, startBroker } from './mosquitto.ts';
import { connect, MqttSession, publish } from './mqtt.ts';
import { clients, connectWith, type Offer } from './tls-clients.ts';

/*
 * Who is let in by the broker that lineside configures, and which broker a device believes: each asked of both ends.
 * Both CAs stand below one root here, where it is hardest to keep them apart.
 */

let field: Field;
let anchors: string;
let told: readonly string[];
let broker: Broker;
let identities: Readonly<Record<string, Identity>>;
const brokers: Broker[] = [];

beforeAll(async () => {
  field = await openField();
  const ca = await field.ca('intermediates');
  anchors = ca.certificate('root');
  told = ca.told;
  const [device, revoked] = await ca.devices('ABCD1234', '00000002');
  const asDevice = (issuer: Issuer, subject: Subject) => deviceTbs(issuer, subject, 'ABCD1234', 'default');
  const asBroker = (issuer: Issuer, subject: Subject) =>
    brokerTbs(issuer, subject, [['commonName', 'ABCD1234']], ['localhost']);
  const between = (from: number, to: number) => (issuer: Issuer, subject: Subject) => {
    const validity = { notBefore: daysAfter(new Date(), from), notAfter: daysAfter(new Date(), to) };
    return asDevice(issuer, { ...subject, validity });
  };
  if (!device || !revoked) throw new Error('no certificates');
  await ca.revoke('00000002');
  await ca.signCrl();
  identities = {
    device,
    revoked,
    foreign: await field.signedBy(await lookalike('device'), asDevice),
    'with its chain': await ca.forged('device', asDevice),
    expired: await ca.forged('device', between(-9, -1)),
    'not yet valid': await ca.forged('device', between(1, 9)),
    'of the broker CA': await ca.forged('broker', asDevice),
    'for servers': await ca.forged('device', asBroker),
    RSA: ca.rsa('ABCD1234'),
    'self-signed': selfSigned(),
    broker: await ca.broker('localhost'),
    'broker elsewhere': await ca.broker('mqtt.example.com'),
    'foreign broker': await field.signedBy(await lookalike('broker'), asBroker),
  };
  broker = await brokerAs('broker');
});

afterAll(async () => {
  for (const each of brokers) await each.stop();
  await field.close();
});

async function brokerAs(own: string, openssl?: string) {
  const port = await freePort();
  const started = await startBroker(
    await field.exportFor(port, identity(own), ...told),
    port,
    openssl === undefined ? {} : { openssl },
  );
  brokers.push(started);
  return started;
}

const falseBrokers = new Map<string, Promise<Broker>>();
function falseBroker(own: string): Promise<Broker> {
  const started = falseBrokers.get(own) ?? brokerAs(own);
  falseBrokers.set(own, started);
  return started;
}

function identity(name: string): Identity {
  return identities[name] ?? fail(name);
}

function fail(name: string): never {
  throw new Error(`nobody is "${name}"`);
}

function selfSigned(): Identity {
  const [key, certificate] = [field.file('key', ''), field.file('crt', '')];
  const how =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -addext extendedKeyUsage=clientAuth';
  const args = `req ${how} -subj /CN=ABCD1234/serialNumber=ABCD1234 -keyout ${key} -out ${certificate}`;
  execFileSync('openssl', args.split(' '), { stdio: 'pipe' });
  return { certificate, key };
}

/** Who comes, what it offers, the alert it gets (RFC 8446 6.2) and what the broker logs. */
const refused: readonly (readonly [who: string | null, offer: Offer, alert: number, log: RegExp])[] = [
  [null, 'device', 116, /peer did not return a certificate/],
  ['foreign', 'device', 48, /certificate verify failed/],
  ['self-signed', 'device', 48, /certificate verify failed/],
  ['revoked', 'device', 44, /certificate verify failed/],
  ['expired', 'device', 45, /certificate verify failed/],
  ['not yet valid', 'device', 42, /certificate verify failed/],
  ['broker', 'device', 48, /certificate verify failed/],
  ['of the broker CA', 'device', 48, /certificate verify failed/],
  ['for servers', 'device', 43, /certificate verify failed/],
  ['RSA', 'anything', 116, /peer did not return a certificate/],
  ['device', 'tls-1.2', 70, /unsupported protocol/],
  ['device', 'aes-256', 40, /no shared cipher/],
  ['device', 'chacha20', 40, /no shared cipher/],
  ['device', 'x25519', 40, /no suitable key share/],
  ['device', 'p-384', 40, /no suitable key share/],
];

/** Taken all the same (MQTT 5 3.4.2.1). */
const nobodyListens = 0x10;

describe.each(clients)('$name', (client) => {
  const quick = { timeout: 20_000 };

  test.for(['device', 'with its chain'])('a right one is let in: %s', quick, async (who) => {
    const mark = broker.mark();
    const { session, close } = connectWith(client, { port: broker.port, anchors, identity: identity(who) });
    expect(await session.ask(connect(), 'connack')).toEqual({ type: 'connack', reason: 0 });
    const own = publish({ topic: 'private/ABCD1234/up', text: 'hello' });
    expect(await session.ask(own, 'puback')).toEqual({ type: 'puback', reason: nobodyListens });
    await broker.logged(/New client connected from .* as ABCD1234 \(.*u'ABCD1234'\)/, mark);
    await close();
  });

  test.for(refused)('%s offering %s is refused with alert %i', quick, async ([who, offer, alert, log]) => {
    const mark = broker.mark();
    const attempt = { port: broker.port, anchors, identity: who === null ? null : identity(who), offer };
    const { ended, session } = connectWith(client, attempt);
    const words = await ended;
    expect(client.alert.exec(words)?.[1], words).toBe(String(alert));
    expect(session.received).toEqual([]);
    await broker.logged(log, mark);
  });

  test.for([
    ['foreign broker', 'chain'],
    ['broker elsewhere', 'name'],
    ['with its chain', 'purpose'],
  ] as const)('a false broker is refused by the device: %s, by its %s', quick, async ([who, reason]) => {
    const { port, mark, logged } = await falseBroker(who);
    const from = mark();
    const { ended, session } = connectWith(client, { port, anchors, identity: identity('device') });
    expect(await ended).toMatch(client.refusals[reason]);
    expect(session.received).toEqual([]);
    await logged(/OpenSSL Error.* alert (unknown ca|bad certificate|unsupported certificate)/, from);
  });
});

/** How many session tickets a device gets before it is answered. */
async function tickets(port: number): Promise<number> {
  const own = identity('device');
  const [key, cert, ca] = [own.key, own.certificate, anchors].map((path) => readFileSync(path));
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', key, cert, ca });
  let count = 0;
  socket.on('session', () => (count += 1));
  const answer = await new MqttSession(socket, socket).ask(connect(), 'connack');
  socket.destroy();
  expect(answer).toEqual({ type: 'connack', reason: 0 });
  return count;
}

test('a device gets no session ticket', async () => {
  expect(await tickets(broker.port)).toBe(0);
});

test('without its openssl.cnf the broker would take RSA and other curves, and send tickets', async () => {
  const { port } = await brokerAs('broker', field.file('cnf', ''));
  for (const [who, offer] of [
    ['RSA', 'anything'],
    ['device', 'x25519'],
    ['device', 'p-384'],
  ] as const) {
    const { session, close } = connectWith(clients[0], { port, anchors, identity: identity(who), offer });
    expect(await session.ask(connect(), 'connack')).toEqual({ type: 'connack', reason: 0 });
    await close();
  }
  expect(await tickets(port)).toBeGreaterThan(0);
});
