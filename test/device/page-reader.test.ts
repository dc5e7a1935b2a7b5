import { describe, expect, test } from 'vitest';
import { vectorBytes, vectorsOf } from '../factory-data/vectors.ts';
import { expectAgreement } from './agreement.ts';
import { readHere, readOnDevice } from './page-reader.ts';

const kinds = ['identity', 'credentials'] as const;

describe("the device's reader of the factory pages", () => {
  test.each(kinds)('reads from every accepted %s page what the codec reads', async (kind) => {
    const cases = vectorsOf(kind, 'accepted').map(({ file }) => ({ kind, page: vectorBytes(file) }));
    const read = await readOnDevice(cases);
    expect(read).toEqual(cases.map(readHere));
    expect(read.every((line) => line.startsWith('ok '))).toBe(true);
  });

  test.each(kinds)('refuses every refused %s page by its rule', async (kind) => {
    const vectors = vectorsOf(kind, 'refused');
    const read = await readOnDevice(vectors.map(({ file }) => ({ kind, page: vectorBytes(file) })));
    expect(read).toEqual(vectors.map(({ rule }) => rule));
  });

  test('refuses a page cut anywhere, and one with any one bit flipped', async () => {
    for (const kind of kinds) {
      const page = vectorBytes(`accepted/${kind}.bin`);
      const cut = Array.from(page, (_, length) => ({ kind, page: page.subarray(0, length) }));
      const flipped = Array.from({ length: page.length * 8 }, (_, bit) => ({ kind, page: flip(page, bit) }));
      const read = await readOnDevice([...cut, ...flipped]);
      expect(read.filter((line) => line.startsWith('ok'))).toEqual([]);
    }
  });

  test('says of mutated pages what the codec says, and touches no byte outside them', async () => {
    const said = await expectAgreement(Date.now(), 20_000);
    // Control: the mutations reach what lies behind the hash, and some of them change nothing that matters.
    for (const word of ['ok', 'hash', 'tlv-length', 'padding', 'duplicate', 'missing', 'value', 'order'])
      expect(said.get(word) ?? 0, word).toBeGreaterThan(4);
  });
});

function flip(page: Buffer, bit: number): Buffer {
  const copy = Buffer.from(page);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
