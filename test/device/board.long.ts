import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { joinBroker, proveKey } from '../../src/uart/self-test.ts';
import { boardWith } from './boards.ts';
import { credentialsPage, id, identityPage } from './pages.ts';
import { Pki } from './pki.ts';

test('a device gives a broker up that says nothing for ten seconds, and can be talked to again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const pki = new Pki(directory);
  const device = pki.device(pki.ca('devices'), id);
  const credentials = credentialsPage(device, pki.ca('brokers'));
  const { board, line } = await boardWith({ identity: identityPage(device), credentials });
  const silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  await board.connectTo((silent.address() as AddressInfo).port);
  const timeout = -0x6800; // MBEDTLS_ERR_SSL_TIMEOUT
  expect(await joinBroker(line)).toEqual({ step: 'handshake', error: timeout, flags: 0, alert: 0 });
  await proveKey(line, { id, publicKey: device.publicKey });
});
