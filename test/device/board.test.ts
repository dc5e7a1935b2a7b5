import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { identity, installCredentials, joinBroker, proveKey } from '../../src/uart/self-test.ts';
import { flashImage, startBoard } from '../support/qemu.ts';
import { boardWith, openLine, startBroker } from './boards.ts';
import { credentialsPage, id, identityPage } from './pages.ts';
import { type Certified, Pki, usage } from './pki.ts';

/*
 * The reference firmware on an emulated Cortex-M4, with what the line wrote into its flash: it answers the self-test over
 * its UART, and joins a real broker with the key it was given.
 */

const fatalAlert = -0x7780; // MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE
const unknownCa = 48; // RFC 8446 6.2

let pki: Pki;
let devices: Certified;
let brokers: Certified;
let device: Certified;
let broker: Certified;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  pki = new Pki(directory);
  devices = pki.ca('devices');
  brokers = pki.ca('brokers');
  device = pki.device(devices, id);
  broker = pki.broker(brokers);
  return () => rm(directory, { recursive: true });
});

const provisioned = (change = {}) => ({
  identity: identityPage(device),
  credentials: credentialsPage(device, brokers, change),
});

describe('a provisioned device', () => {
  test('says who it is, proves its key, joins the broker, and is heard and hears', async () => {
    const { board, line } = await boardWith(provisioned({ generation: 7 }));
    expect(await identity(line)).toEqual({
      id,
      publicKey: Buffer.from(device.publicKey),
      credentials: {
        kind: 'sound',
        generation: 7,
        certificateSha256: createHash('sha256').update(device.der).digest('hex'),
      },
    });
    await proveKey(line, { id, publicKey: device.publicKey });

    const inCharge = await startBroker(broker, devices);
    const heard = await inCharge.listen('private/#');
    await board.connectTo(inCharge.port);
    expect(await joinBroker(line)).toEqual({ step: 'done', error: 0, flags: 0, alert: 0 });
    expect(await heard.next()).toBe(`private/${id}/up ${id}`);
    await inCharge.publish(`private/${id}/down`, 'ping 17');
    expect([await heard.next(), await heard.next()].toSorted()).toEqual([
      `private/${id}/down ping 17`,
      `private/${id}/up ping 17`,
    ]);
    await proveKey(line, { id, publicKey: device.publicKey });
  });

  test('takes its certificate over UART, once, and then joins with it', async () => {
    const { board, line } = await boardWith({ identity: identityPage(device) });
    expect(await identity(line)).toMatchObject({ credentials: { kind: 'blank' } });
    expect(await joinBroker(line)).toMatchObject({ step: 'credentials' });
    const page = credentialsPage(device, brokers);
    await installCredentials(line, page);
    await installCredentials(line, page);
    expect(await identity(line)).toMatchObject({ credentials: { kind: 'sound', generation: 1 } });
    const other = credentialsPage(device, pki.ca('other'), { generation: 2 });
    await expect(installCredentials(line, other)).rejects.toMatchObject({ code: 'self-test-refused' });
    await board.connectTo((await startBroker(broker, devices)).port);
    expect(await joinBroker(line)).toMatchObject({ step: 'done' });
  });
});

describe('a device joins', () => {
  const done = { step: 'done', error: 0, flags: 0, alert: 0 };

  test('a broker that has any one of its names, under any one of its anchors', async () => {
    const rolledOver = pki.ca('next brokers');
    const { board, line } = await boardWith(
      provisioned({
        brokerNames: ['first.example', 'second.example', 'broker.example'],
        trustAnchors: [brokers.der, rolledOver.der],
      }),
    );
    for (const [issuer, name] of [
      [brokers, 'first.example'],
      [brokers, 'broker.example'],
      [rolledOver, 'SECOND.example'],
    ] as const) {
      await board.connectTo((await startBroker(pki.broker(issuer, name), devices)).port);
      expect(await joinBroker(line), name).toEqual(done);
    }
    await board.connectTo((await startBroker(pki.broker(rolledOver, 'third.example'), devices)).port);
    expect(await joinBroker(line)).toMatchObject({ step: 'handshake' });
  });

  test('with the intermediate of its CA, a broker that knows the root alone', async () => {
    const intermediate = pki.ca('devices 2026', devices);
    const own = pki.device(intermediate, id);
    const { port } = await startBroker(broker, devices);
    const identity = identityPage(own);
    for (const [intermediates, report] of [
      [[intermediate.der], done],
      [[], { step: 'connack', error: fatalAlert, flags: 0, alert: unknownCa }],
    ] as const) {
      const credentials = credentialsPage(own, brokers, { intermediates });
      const { board, line } = await boardWith({ identity, credentials });
      await board.connectTo(port);
      expect(await joinBroker(line)).toEqual(report);
    }
  });

  test('a broker whose certificate has expired: a device has no clock, docs/decisions/0024', async () => {
    const { board, line } = await boardWith(provisioned());
    const expired = pki.broker(brokers, 'broker.example', '-days', '-1');
    await board.connectTo((await startBroker(expired, devices)).port);
    expect(await joinBroker(line)).toEqual(done);
  });
});

describe('a device says why it is not online', () => {
  test('when the broker refuses it', async () => {
    const alien = pki.device(pki.ca('other devices'), id);
    const credentials = credentialsPage(alien, brokers);
    const { board, line } = await boardWith({ identity: identityPage(alien), credentials });
    await board.connectTo((await startBroker(broker, devices)).port);
    const refused = { step: 'connack', error: fatalAlert, flags: 0, alert: unknownCa };
    expect(await joinBroker(line)).toEqual(refused);
  });

  test('when what answers is no broker', async () => {
    const { board, line } = await boardWith(provisioned());
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    await board.connectTo((server.address() as AddressInfo).port);
    const invalidRecord = -0x7200; // MBEDTLS_ERR_SSL_INVALID_RECORD
    expect(await joinBroker(line)).toEqual({ step: 'handshake', error: invalidRecord, flags: 0, alert: 0 });
    await proveKey(line, { id, publicKey: device.publicKey });
  });
});

describe('a board that is not fit says so', () => {
  test('with a blank or a damaged identity page', async () => {
    const blank = await boardWith({});
    await expect(identity(blank.line)).rejects.toThrow('its identity page is not sound (rule 1)');
    const page = identityPage(device);
    page[110] = (page[110] ?? 0) ^ 1;
    const damaged = await boardWith({ ...provisioned(), identity: page });
    await expect(joinBroker(damaged.line)).rejects.toThrow('its identity page is not sound (rule 9)');
  });

  test('without noise: it does not sign with numbers that could be guessed', async () => {
    const board = await startBoard(flashImage(provisioned()), Buffer.alloc(1024));
    onTestFinished(() => board.stop());
    const line = await openLine(board.path);
    expect(await identity(line)).toMatchObject({ id });
    await expect(proveKey(line, { id, publicKey: device.publicKey })).rejects.toThrow('cannot sign');
  });
});

describe('a false broker is refused by the device', () => {
  // MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_ERR_SSL_BAD_CERTIFICATE; MBEDTLS_X509_BADCERT_*.
  const [notVerified, badUsage] = [-0x2700, -0x7a00];
  const [otherName, notTrusted, extendedUsage] = [0x04, 0x08, 0x1000];
  test.each([
    ['of another CA', () => pki.broker(pki.ca('brokers')), notVerified, notTrusted],
    ['with another name', () => pki.broker(brokers, 'broker.example.org'), notVerified, otherName],
    [
      'with the certificate of a device',
      () => pki.device(devices, '00C0FFEE'),
      notVerified,
      notTrusted | otherName | extendedUsage,
    ],
    [
      'with a certificate for clients, of the right CA and name',
      () => certificate([usage.client]),
      badUsage,
      extendedUsage,
    ],
    [
      'with a certificate for no stated usage, of the right CA and name',
      () => certificate([]),
      notVerified,
      extendedUsage,
    ],
  ])('%s', async (_, certificate, error, flags) => {
    const { board, line } = await boardWith(provisioned());
    await board.connectTo((await startBroker(certificate(), devices)).port);
    expect(await joinBroker(line)).toEqual({ step: 'handshake', error, flags, alert: 0 });
    // Control: the same device joins the right one. The cable may still hold bytes of the false one, so it may have to
    // try again, as a device in the field does.
    await board.connectTo((await startBroker(broker, devices)).port);
    const first = await joinBroker(line);
    expect(first.step === 'done' ? first : await joinBroker(line)).toMatchObject({ step: 'done' });
  });

  const certificate = (extensions: string[]) =>
    pki.issue(brokers, '/CN=broker', [...extensions, 'subjectAltName=DNS:broker.example']);
});
