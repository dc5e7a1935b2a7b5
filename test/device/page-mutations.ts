import { createHash } from 'node:crypto';
import { randomFrom, type Random } from '../support/random.ts';
import { vectorBytes, vectorsOf } from '../factory-data/vectors.ts';
import type { Case } from './page-reader.ts';

const seeds = (['identity', 'credentials'] as const).flatMap((kind) =>
  [...vectorsOf(kind, 'accepted'), ...vectorsOf(kind, 'refused')].map(({ file }) => ({
    kind,
    page: vectorBytes(file),
  })),
);

/** Pages that were good once. A third of them is hashed anew, so that what is wrong lies behind the hash. */
export function mutatedPages(seed: number, count: number): Case[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => {
    const { kind, page } = random.of(seeds);
    const bytes = mutated(page, random);
    return { kind, page: random.below(3) === 0 ? sealed(bytes) : bytes };
  });
}

function mutated(page: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(page);
  for (let changes = 1 + random.below(4); changes > 0; changes--) bytes = changed(bytes, random);
  return bytes;
}

function changed(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return Buffer.from([random.below(256)]);
  const at = random.below(bytes.length);
  const word = at & ~3;
  switch (random.below(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2: // the type or the length of a TLV, if there is one
      if (word + 4 <= bytes.length)
        bytes.writeUInt16LE(random.of([0, 1, 2, 3, 16, 17, 19, 20, 21, 65535]), word + 2 * random.below(2));
      return bytes;
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return bytes.subarray(0, word);
    case 5: // the same words twice
      return Buffer.concat([bytes.subarray(0, word), bytes.subarray(word & ~31, word), bytes.subarray(word)]);
    case 6: // words taken out
      return Buffer.concat([bytes.subarray(0, word & ~31), bytes.subarray(word)]);
    default:
      return Buffer.concat([bytes, Buffer.alloc(4 * random.below(8), random.of([0, 0xff, 0x10]))]);
  }
}

/** A container again: header, right length and hash around what lies between. */
export function sealed(bytes: Buffer): Buffer {
  const end = bytes.findLastIndex((byte) => byte !== 0xff) + 1;
  const body = Buffer.from(bytes.subarray(0, Math.max(end - 32, 0) & ~3));
  if (body.length < 16) return bytes;
  body.write('LSF1\x01\x00\x10\x00', 'latin1');
  body.writeUInt32LE(body.length + 32, 8);
  body.writeUInt32LE(~(body.length + 32) >>> 0, 12);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}
