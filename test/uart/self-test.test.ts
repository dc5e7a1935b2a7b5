import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeFrame, encodeFrame, type Frame, maximumFrame } from '../../src/uart/frame.ts';
import { DeviceLine } from '../../src/uart/device-line.ts';
import { identity, installCredentials, joinBroker, proveKey } from '../../src/uart/self-test.ts';
import { encodeSlip, SlipDecoder } from '../../src/uart/slip.ts';
import { openLine } from '../device/boards.ts';
import { credentialsPage, id, identityPage } from '../device/pages.ts';
import { deviceOnLine } from '../device/host-device.ts';
import { type Certified, Pki } from '../device/pki.ts';
import { scratch } from '../support/program.ts';
import { layCable } from '../support/serial-cable.ts';

/*
 * The station's side of the self-test over real ptys: against the firmware's own protocol code, and against devices that
 * are broken or lie.
 */

let device: Certified;
let brokers: Certified;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  const pki = new Pki(directory);
  brokers = pki.ca('brokers');
  device = pki.device(pki.ca('devices'), id);
  return () => rm(directory, { recursive: true });
});

describe('with the firmware', () => {
  const own = () => ({ id, publicKey: device.publicKey });

  test('identity, proof and credentials', async () => {
    const line = await openLine(await deviceOnLine({ identity: identityPage(device) }));
    expect(await identity(line)).toEqual({
      id,
      publicKey: Buffer.from(device.publicKey),
      credentials: { kind: 'blank' },
    });
    await proveKey(line, own());
    await installCredentials(line, credentialsPage(device, brokers, { generation: 3 }));
    const certificateSha256 = createHash('sha256').update(device.der).digest('hex');
    expect(await identity(line)).toMatchObject({
      credentials: { kind: 'sound', generation: 3, certificateSha256 },
    });
    expect(await joinBroker(line)).toEqual({ step: 'network', error: 0, flags: 0, alert: 0 });
  });

  test('what was left on the line by whoever came before is no obstacle', async () => {
    const path = await deviceOnLine({ identity: identityPage(device) });
    const first = await openLine(path);
    await identity(first);
    await first.close();
    const raw = await openRaw(path);
    await new Promise((written) => raw.write(Buffer.from([0xc0, 1, 1, 0, 0, ...randomBytes(50)]), written));
    await new Promise((closed) => raw.close(closed));
    await proveKey(await openLine(path), own());
  });

  test('a device without a sound identity page says so', async () => {
    const blank = await openLine(await deviceOnLine({}));
    const refused = { code: 'self-test-refused', exit: 5 };
    await expect(identity(blank)).rejects.toMatchObject(refused);
    await expect(identity(blank)).rejects.toThrow('its identity page is not sound (rule 1)');
    const page = identityPage(device);
    page[110] = (page[110] ?? 0) ^ 1; // in the private key, so that the hash is wrong
    const damaged = await openLine(await deviceOnLine({ identity: page }));
    await expect(proveKey(damaged, own())).rejects.toThrow('its identity page is not sound (rule 9)');
  });

  test('a device that has another key, or another id, than the CSR does not pass', async () => {
    const line = await openLine(await deviceOnLine({ identity: identityPage(device) }));
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    const { x = '', y = '' } = other.export({ format: 'jwk' });
    const publicKey = Buffer.concat([
      Uint8Array.of(4),
      Buffer.from(x, 'base64url'),
      Buffer.from(y, 'base64url'),
    ]);
    const unproven = { code: 'key-unproven', exit: 5 };
    await expect(proveKey(line, { id, publicKey })).rejects.toMatchObject(unproven);
    const otherId = { id: '00C0FFEE' as typeof id, publicKey: device.publicKey };
    await expect(proveKey(line, otherId)).rejects.toMatchObject(unproven);
    await proveKey(line, own()); // control
  });
});

describe('with a device that lies', () => {
  /** A device that says this to each request: the bytes of its line, or nothing. */
  async function liar(says: (request: Frame) => Uint8Array | undefined): Promise<DeviceLine> {
    const { line, device } = await cable();
    const decoder = new SlipDecoder(maximumFrame);
    device.on('data', (bytes) => {
      for (const frame of decoder.decode(bytes)) {
        const request = decodeFrame(frame);
        const said = request && says(request);
        if (said) device.write(said);
      }
    });
    return line;
  }

  const answer = ({ type, sequence }: Frame, ...payload: readonly number[]) =>
    encodeSlip(encodeFrame({ type: type | 0x80, sequence, payload: Uint8Array.from(payload) }));

  test('a signature that was recorded before is not taken for one of this nonce', async () => {
    const message = (nonce: Uint8Array) =>
      Buffer.concat([Buffer.from(`lineside self-test v1\0${id}`), nonce]);
    const { privateKey, publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = key.export({ format: 'jwk' });
    const publicKey = Buffer.concat([
      Uint8Array.of(4),
      Buffer.from(x, 'base64url'),
      Buffer.from(y, 'base64url'),
    ]);
    const signature = (nonce: Uint8Array) =>
      sign('sha256', message(nonce), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const recorded = signature(randomBytes(32));
    const replaying = await liar((request) => answer(request, 0, 0, ...recorded));
    await expect(proveKey(replaying, { id, publicKey })).rejects.toMatchObject({ code: 'key-unproven' });
    // Control: the same device with a signature of the nonce passes.
    const honest = await liar((request) => answer(request, 0, 0, ...signature(request.payload)));
    await proveKey(honest, { id, publicKey });
  });

  test.each<[string, readonly number[]]>([
    ['no status', []],
    ['half a status', [0]],
    ['a status nobody knows', [99, 0]],
    ['too few bytes', [0, 0, 1, 2, 3]],
    ['an id that is none', [0, 0, ...Buffer.from('\x1b[2Jabcd'), ...Buffer.alloc(102)]],
    ['a key that is no point', [0, 0, ...Buffer.from('ABCD1234'), 4, ...Buffer.alloc(101)]],
  ])('%s is no answer', async (_, payload) => {
    const line = await liar((request) => answer(request, ...payload));
    await expect(identity(line)).rejects.toMatchObject({ code: 'self-test-nonsense', exit: 5 });
  });

  test('a status nobody knows is no success, also where no data is expected', async () => {
    const line = await liar((request) => answer(request, 99, 0));
    const installing = installCredentials(line, credentialsPage(device, brokers));
    await expect(installing).rejects.toMatchObject({ code: 'self-test-nonsense' });
  });

  test('an answer to another request, of another type or version, or damaged, is as good as none', async () => {
    const good = (request: Frame) => Buffer.from(answer(request, 0, 0, ...Buffer.alloc(64)));
    const damaged = (request: Frame) => good(request).map((byte, at) => (at === 7 ? byte ^ 1 : byte));
    const lies = [
      (request: Frame) => good({ ...request, sequence: (request.sequence + 1) & 0xffff }),
      (request: Frame) => good({ ...request, type: request.type + 1 }),
      (request: Frame) => damaged(request),
      () => randomBytes(20_000),
    ];
    let asked = 0;
    const line = await liar((request) => lies[asked++ % lies.length]?.(request));
    await expect(identity(line)).rejects.toMatchObject({ code: 'uart-silent', exit: 4 });
    expect(asked).toBe(3);
  });

  test('an answer that was lost once is asked for again', async () => {
    let asked = 0;
    const line = await liar((request) => (asked++ === 0 ? undefined : answer(request, 4, 1)));
    await expect(identity(line)).rejects.toMatchObject({ code: 'self-test-refused' });
    expect(asked).toBe(2);
  });
});

describe('a line', () => {
  test('that is not there is named', async () => {
    const opening = DeviceLine.open('/dev/no-such-line');
    await expect(opening).rejects.toMatchObject({ code: 'uart-unreachable', exit: 4 });
    await expect(opening).rejects.toThrow('/dev/no-such-line');
  });

  test('that is unplugged while it is used ends the question at once, and every one after it', async () => {
    const { line, device, remove } = await cable();
    const asking = joinBroker(line); // which would wait a minute
    device.once('data', () => void remove());
    await expect(asking).rejects.toMatchObject({ code: 'uart-unreachable' });
    await expect(identity(line)).rejects.toMatchObject({ code: 'uart-unreachable' });
  });

  test('that was unplugged while nobody looked is not taken for a silent device', async () => {
    const { line, remove } = await cable();
    await remove();
    await expect(identity(line)).rejects.toMatchObject({ code: 'uart-unreachable' });
  });
});

async function cable(): Promise<{ line: DeviceLine; device: Socket; remove: () => Promise<void> }> {
  const socket = join(await scratch(), 'serial');
  const laid = await layCable(socket);
  onTestFinished(() => laid.remove());
  const device = connect(socket);
  onTestFinished(() => void device.destroy());
  return { line: await openLine(await laid.path), device, remove: laid.remove };
}

async function openRaw(path: string) {
  const { SerialPort } = await import('serialport');
  return new SerialPort({ path, baudRate: 115_200 });
}
