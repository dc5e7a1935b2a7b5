import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { encodeFrame } from '../../src/uart/frame.ts';
import { encodeSlip } from '../../src/uart/slip.ts';
import { type Random, randomFrom } from '../support/random.ts';
import { credentialsPage, id, identityPage } from './pages.ts';
import { answersTo, type Pages, request } from './host-device.ts';
import { sealed } from './page-mutations.ts';
import { Pki } from './pki.ts';

/**
 * Sends `count` hostile things to a device and then asks who it is: it must still know, and the sanitizers must have
 * nothing to say. Returns how many requests it answered, by type and status.
 */
async function hostileRequests(
  pages: Pages,
  page: Uint8Array,
  seed: number,
  count: number,
): Promise<Map<string, number>> {
  const random = randomFrom(seed);
  const sent = Array.from({ length: count }, () => hostile(random, page));
  const { answers } = await answersTo(pages, Buffer.concat([...sent, request(1, new Uint8Array(), 0xbeef)]));
  const last = answers.at(-1);
  if (last?.type !== 0x81 || last.sequence !== 0xbeef || last.payload.length !== 112)
    expect.fail(`seed ${seed}: no answer after hostile requests`);
  const statuses = new Map<string, number>();
  for (const { type, payload } of answers) {
    const key = `${type & 0x7f}: ${payload[0]}`;
    statuses.set(key, (statuses.get(key) ?? 0) + 1);
  }
  return statuses;
}

function hostile(random: Random, page: Uint8Array): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(100));
    case 1: // longer than any frame
      return Buffer.alloc(random.below(2) * random.below(6000), random.below(256));
    case 2:
      return random.bytes(random.below(60)).map((byte) => [0xc0, 0xdb, 0xdc, 0xdd, byte][byte % 5] ?? 0);
    case 3: {
      // a request that was damaged
      const line = Buffer.from(sound(random, page));
      line[random.below(line.length)] = random.below(256);
      return line.subarray(0, random.below(line.length + 1));
    }
    default:
      return sound(random, page);
  }
}

/** A frame with a right CRC around anything. */
function sound(random: Random, page: Uint8Array): Uint8Array {
  const type = random.of([0, 1, 2, 3, 3, 3, 3, 4, 5, 0x81, random.below(256)]);
  const frame = encodeFrame({
    type,
    sequence: random.below(0x10000),
    payload: payloadFor(type, random, page),
  });
  if (random.below(20) > 0) return encodeSlip(frame);
  const other = Buffer.from(frame); // of another version
  other[0] = random.below(256);
  other.writeUInt32LE(crc32(other.subarray(0, -4)), other.length - 4);
  return encodeSlip(other);
}

function payloadFor(type: number, random: Random, page: Uint8Array): Uint8Array {
  if (type === 3) return mutated(page, random);
  const length = random.of([0, 0, 0, 1, 31, 33, 32, random.below(200)]);
  // A signature takes long: few of the nonces are good ones.
  return random.bytes(type === 2 && length === 32 && random.below(4) > 0 ? 31 : length);
}

function mutated(page: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(page);
  for (let changes = random.below(4); changes > 0; changes--)
    bytes[random.below(bytes.length)] = random.below(256);
  const length = random.of([bytes.length, bytes.length, random.below(bytes.length + 1)]);
  return random.below(3) === 0 ? sealed(bytes) : bytes.subarray(0, length);
}

/** The same with a device that has its identity and takes its first page on the way. */
export async function hostileBatch(seed: number, count: number): Promise<Map<string, number>> {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-pki-'));
  try {
    const pki = new Pki(directory);
    const device = pki.device(pki.ca('devices'), id);
    const page = credentialsPage(device, pki.ca('brokers'));
    return await hostileRequests({ identity: identityPage(device) }, page, seed, count);
  } finally {
    await rm(directory, { recursive: true });
  }
}
