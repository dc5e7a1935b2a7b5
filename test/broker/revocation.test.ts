import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { crlTbs } from '../../src/ca/crl.ts';
import { signed } from '../../src/ca/signed.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { formatPem } from '../../src/pem.ts';
import { lineside } from '../support/program.ts';
import { type Ca, type Field, type Identity, lookalike, openField, putInPlace } from './field.ts';
import { type Broker, freePort, startBroker } from './mosquitto.ts';
import { connect, publish, subscribe } from './mqtt.ts';
import { clients, connectWith } from './tls-clients.ts';

/*
 * How a revocation reaches a broker that is at work, and what a broker does with the lists that the export refuses: the
 * second is mosquitto's doing, and the reason for the first.
 */

let field: Field;
let made: Ca;
let own: Identity;
let device: Identity;
let revoked: Identity;
beforeAll(async () => {
  field = await openField();
  made = await field.ca();
  own = await made.broker('localhost');
  const [one, two] = await made.devices('00000001', '00000002');
  if (!one || !two) throw new Error('no certificates');
  [device, revoked] = [one, two];
  await made.signCrl();
});
afterAll(() => field.close());

let ca: Ca;
let port: number;
let prefix: string;
beforeEach(async () => {
  ca = made.copy();
  port = await freePort();
});

async function started(): Promise<Broker> {
  const broker = await startBroker(prefix, port);
  onTestFinished(() => broker.stop());
  return broker;
}

async function exported(...args: readonly string[]): Promise<void> {
  prefix = await field.exportFor(port, own, ...ca.told, ...args);
}

const [client] = clients;

function connection(identity: Identity) {
  return connectWith(client, { port, anchors: ca.certificate('broker'), identity });
}

/** Connects and says what came of it: `in`, or the alert. */
async function tried(identity: Identity): Promise<string> {
  const { session, close } = connection(identity);
  const answer = await session.ask(connect(), 'connack');
  const alert = client.alert.exec(await close())?.[1];
  return answer === undefined ? `alert ${alert ?? 'lost'}` : 'in';
}

/** As `tried`, for somebody who is refused: a client that speaks first may lose the alert. */
async function alerted(identity: Identity): Promise<string> {
  return `alert ${client.alert.exec(await connection(identity).ended)?.[1]}`;
}

describe.each(['acl', 'dynamic-security'])('%s: a revoked device', (access) => {
  test('is out from the next connection on, after a new CRL, a new export and a restart', async () => {
    await exported('--access', access);
    const before = await started();
    expect(await tried(revoked)).toBe('in');
    await ca.revoke('00000002');
    await ca.signCrl();
    await exported('--access', access);
    await before.stop();
    await started();
    expect(await alerted(revoked)).toBe('alert 44');
    expect(await tried(device)).toBe('in');
  });
});

test('a reload reads the new CRL, but leaves a revoked device that is connected', async () => {
  await exported('--access', 'acl');
  const broker = await started();
  const { session, close } = connection(revoked);
  await session.ask(connect(), 'connack');
  await session.ask(subscribe('private/00000002/#'), 'suback');
  await ca.revoke('00000002');
  await ca.signCrl();
  await exported('--access', 'acl');
  const mark = broker.mark();
  broker.reload();
  await broker.logged(/Reloading config/, mark);
  expect(await alerted(revoked)).toBe('alert 44');
  await session.ask(publish({ topic: 'private/00000002/up', text: 'still here' }), 'puback');
  expect(session.received).toContainEqual({
    type: 'message',
    topic: 'private/00000002/up',
    text: 'still here',
  });
  await close();
});

describe('what the export refuses would', () => {
  beforeEach(async () => {
    await ca.revoke('00000002');
    await ca.signCrl();
    await exported('--access', 'acl');
  });

  test('if damaged, let a revoked device in at a reload, and no broker start', async () => {
    const broker = await started();
    expect(await alerted(revoked)).toBe('alert 44');
    writeFileSync(join(prefix, 'devices.crl'), 'garbage\n');
    const mark = broker.mark();
    broker.reload();
    await broker.logged(/Unable to load certificate revocation file/, mark);
    expect(await tried(revoked)).toBe('in');
    await broker.stop();
    await expect(startBroker(prefix, port)).rejects.toThrow(/Unable to load certificate revocation file/);
  });

  test('if overdue, keep everybody out', async () => {
    const period = { thisUpdate: daysAfter(new Date(), -2), nextUpdate: daysAfter(new Date(), -1) };
    const overdue = await ca.forgedCrl((issuer) => crlTbs(issuer, 3, period, []));
    writeFileSync(join(prefix, 'devices.crl'), readFileSync(overdue));
    await started();
    expect(await alerted(device)).toMatch(/^alert (45|44|42|48)$/);
  });

  test('if of another CA, keep everybody out', async () => {
    const other = await lookalike('device');
    const period = { thisUpdate: daysAfter(new Date(), -1), nextUpdate: daysAfter(new Date(), 1) };
    const crl = await signed(crlTbs(other.issuer, 3, period, []), other.signer);
    writeFileSync(join(prefix, 'devices.crl'), formatPem('X509 CRL', crl));
    await started();
    expect(await alerted(device)).toMatch(/^alert \d+$/);
  });

  test('if older, let the revoked device in again', async () => {
    writeFileSync(join(prefix, 'devices.crl'), readFileSync(made.crl));
    await started();
    expect(await tried(revoked)).toBe('in');
  });
});

test('an export that was damaged on its way is not put in place', async () => {
  await exported();
  const before = readFileSync(join(prefix, 'devices.crl'));
  await ca.signCrl();
  const stick = field.path('stick');
  const made = await lineside(['broker', 'export', stick, '--prefix', prefix, ...ca.told]);
  expect(made.code).toBe(0);
  const whole = readFileSync(join(stick, 'devices.crl'));
  writeFileSync(join(stick, 'devices.crl'), whole.subarray(0, -1));
  expect(() => putInPlace(stick)).toThrow();
  expect(readFileSync(join(prefix, 'devices.crl'))).toEqual(before);
  writeFileSync(join(stick, 'devices.crl'), whole);
  putInPlace(stick);
  expect(readFileSync(join(prefix, 'devices.crl'))).toEqual(whole);
});
