import * as fc from 'fast-check';
import type { Segment } from '../../src/firmware/segments.ts';

/** Sorted segments that neither touch nor overlap, in a space of 256 KiB from `start`. */
export function segmentsFrom(start: number): fc.Arbitrary<Segment[]> {
  const spans = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 20_000 }), fc.uint8Array({ minLength: 1, maxLength: 400 })),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  return spans.map((list) => {
    let address = start;
    return list.map(([gap, bytes]) => {
      const segment = { address: address + gap, bytes };
      address = segment.address + bytes.length;
      return segment;
    });
  });
}

/** Plain arrays, to compare whatever kind of byte array holds the bytes. */
export function plain(segments: readonly Segment[]): { address: number; bytes: number[] }[] {
  return segments.map(({ address, bytes }) => ({ address, bytes: [...bytes] }));
}
