import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { FactoryDataError } from '../../src/factory-data/refusal.ts';
import { credentialsPage, id, identityPage } from './pages.ts';
import { answersTo, request } from './host-device.ts';
import { type Certified, Pki } from './pki.ts';

/* What a device takes over its serial line, which anybody may reach who has the board. */

let pki: Pki;
let devices: Certified;
let brokers: Certified;
let device: Certified;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  pki = new Pki(directory);
  devices = pki.ca('devices');
  brokers = pki.ca('brokers');
  device = pki.device(devices, id);
  return () => rm(directory, { recursive: true });
});

const install = 3;
const status = { done: 0, badLength: 3, noIdentity: 4, pageRefused: 5, notMine: 6, taken: 7 };

/** Status and detail of each answer. */
async function statuses(credentials: Uint8Array | undefined, ...pages: readonly Uint8Array[]) {
  const identity = identityPage(device);
  const line = Buffer.concat(pages.map((page) => request(install, page)));
  const { answers } = await answersTo({ identity, ...(credentials && { credentials }) }, line);
  return answers.map(({ type, payload }) => {
    expect(type).toBe(0x80 | install);
    return [payload[0], payload[1]];
  });
}

describe('a device takes over its serial line', () => {
  test('its first credentials page, also after a cut, and the same one again', async () => {
    const page = credentialsPage(device, brokers);
    expect(await statuses(undefined, page, page)).toEqual([
      [status.done, 0],
      [status.done, 0],
    ]);
    const interrupted = Buffer.from(page).fill(0xff, 0, 4);
    expect(await statuses(interrupted, page)).toEqual([[status.done, 0]]);
  });

  test('no other page once it has one, even of a higher generation', async () => {
    const first = credentialsPage(device, brokers);
    const second = credentialsPage(device, pki.ca('other'), { generation: 2 });
    expect(await statuses(first, second)).toEqual([[status.taken, 0]]);
    expect(await statuses(undefined, first, second)).toEqual([
      [status.done, 0],
      [status.taken, 0],
    ]);
  });

  test('no certificate of another device, of another key, or that is none', async () => {
    const ofAnother = credentialsPage(pki.device(devices, '00C0FFEE'), brokers);
    const otherKey = credentialsPage(pki.device(devices, id), brokers);
    const otherName = credentialsPage(
      { ...device, der: pki.reissue(devices, device, '00C0FFEE').der },
      brokers,
    );
    const none = credentialsPage(device, brokers, { certificate: Buffer.from('3000', 'hex') });
    for (const page of [ofAnother, otherKey, otherName, none])
      expect(await statuses(undefined, page)).toEqual([[status.notMine, 0]]);
    // Control: the same certificate request signed anew is this device's.
    const again = credentialsPage({ ...device, der: pki.reissue(devices, device, id).der }, brokers);
    expect(await statuses(undefined, again)).toEqual([[status.done, 0]]);
  });

  test('no anchor or intermediate that it could not read when it needs it', async () => {
    const certificate = Buffer.from('3000', 'hex');
    const anchor = credentialsPage(device, brokers, { trustAnchors: [brokers.der, certificate] });
    const intermediate = credentialsPage(device, brokers, { intermediates: [certificate] });
    for (const page of [anchor, intermediate])
      expect(await statuses(undefined, page)).toEqual([[status.notMine, 0]]);
  });

  test('no page that is not sound, and says which rule it breaks', async () => {
    const page = Buffer.from(credentialsPage(device, brokers));
    const flipped = Buffer.from(page);
    flipped[100] = (flipped[100] ?? 0) ^ 1;
    const hashRule = 9;
    expect(await statuses(undefined, flipped)).toEqual([[status.pageRefused, hashRule]]);
    expect(await statuses(undefined, page.subarray(0, -1))).toEqual([[status.badLength, 0]]);
  });

  test('nothing at all if it has no identity', async () => {
    const { answers } = await answersTo({}, request(install, credentialsPage(device, brokers)));
    expect(answers.map(({ payload }) => [...payload])).toEqual([[status.noIdentity, 1]]);
  });

  test('a page that is whole or none, wherever the power fails', async () => {
    const page = credentialsPage(device, brokers);
    const words = page.length / 4;
    const identity = identityPage(device);
    const line = request(install, page);
    const cuts = [...Array.from({ length: 12 }, (_, at) => at), words >> 1, words - 1, words];
    for (const cut of cuts) {
      const { left, answers } = await answersTo({ identity }, line, cut);
      expect(answers, `cut ${cut}`).toEqual([]);
      expect(kindOf(left), `cut ${cut}`).toBe(cut <= 1 ? 'blank' : 'interrupted');
      // The same again makes it whole.
      const again = await answersTo({ identity, ...(left && { credentials: left }) }, line);
      expect(again.answers.map(({ payload }) => payload[0])).toEqual([status.done]);
    }
    // Control: one write more, and it is whole.
    expect((await answersTo({ identity }, line, words + 1)).answers[0]?.payload[0]).toBe(status.done);
  });
});

function kindOf(page: Uint8Array | undefined): string {
  try {
    decodeCredentialsPage(page ?? new Uint8Array());
    return 'sound';
  } catch (error) {
    if (error instanceof FactoryDataError) return error.rule;
    throw error;
  }
}
