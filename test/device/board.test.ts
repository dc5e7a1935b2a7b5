import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identity, installCredentials, joinBroker, proveKey } from '../../src/uart/self-test.ts';
import { boardWith, credentialsPage, id, identityPage } from './boards.ts';
import { startBroker } from './broker.ts';
import { type Certified, Pki, usage } from './pki.ts';

/*
 * The reference firmware on an emulated Cortex-M4, with what the line wrote into its flash: it answers the self-test over
 * its UART, and joins a real broker with the key it was given.
 */

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

    const { port, listen, publish } = await startBroker(broker, devices);
    const heard = await listen('private/#');
    await board.connectTo(port);
    expect(await joinBroker(line)).toEqual({ step: 'done', error: 0, flags: 0, alert: 0 });
    expect(await heard.next()).toBe(`private/${id}/up ${id}`);
    await publish(`private/${id}/down`, 'ping 17');
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
    // Control: the same device joins the right one.
    await board.connectTo((await startBroker(broker, devices)).port);
    expect(await joinBroker(line)).toMatchObject({ step: 'done' });
  });

  const certificate = (extensions: string[]) =>
    pki.issue(brokers, '/CN=broker', [...extensions, 'subjectAltName=DNS:broker.example']);
});
