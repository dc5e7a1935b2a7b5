import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker } from './boards.ts';
import { clientOf } from './client.ts';
import { id } from './pages.ts';
import { type Certified, Pki, usage } from './pki.ts';

/* The device's TLS and MQTT as a program, build/firmware/client, which the tests of the broker's configuration use. */

let pki: Pki;
let devices: Certified;
let brokers: Certified;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  pki = new Pki(directory);
  devices = pki.ca('devices');
  brokers = pki.ca('brokers');
  return () => rm(directory, { recursive: true });
});

const client = (port: number, chain: string, key: string, name = 'broker.example') =>
  clientOf(port, { anchors: brokers.certificate, chain, key, name, id });

describe('the client of the firmware', () => {
  const refused = (alert: number) => ({ step: 'connack', error: -0x7780, flags: 0, alert });
  test.each([
    ['comes online', () => pki.device(devices, id), { step: 'done', error: 0, flags: 0, alert: 0 }],
    ['of another CA is told unknown_ca', () => pki.device(pki.ca('other'), id), refused(48)],
    [
      'with the certificate of a broker is told unsupported_certificate',
      () => pki.issue(devices, `/CN=${id}`, [usage.server]),
      refused(43),
    ],
    ['without a certificate is told certificate_required', () => undefined, refused(116)],
  ])('%s', async (_, certified, report) => {
    const { port } = await startBroker(pki.broker(brokers), devices);
    const { certificate = '-', key = '-' } = certified() ?? {};
    expect(await client(port, certificate, key)).toEqual(report);
  });

  test('says what is wrong with a broker, and that there is none', async () => {
    const own = pki.device(devices, id);
    const { port } = await startBroker(pki.broker(brokers), devices);
    const otherName = { step: 'handshake', error: -0x2700, flags: 4, alert: 0 };
    expect(await client(port, own.certificate, own.key, 'other.example')).toEqual(otherName);
    expect(await client(port, own.certificate, own.key, '-')).toMatchObject({ step: 'done' });
    expect(await client(1, own.certificate, own.key)).toMatchObject({ step: 'network' });
  });
});
