import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame, maximumFrame } from '../../src/uart/frame.ts';
import { encodeSlip, SlipDecoder } from '../../src/uart/slip.ts';
import { hostileLine, inPieces } from './hostile-line.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const frames = fc.record({
  type: fc.nat(255),
  sequence: fc.nat(0xffff),
  payload: bytes(300),
});

const decodeAll = (line: Uint8Array, room = maximumFrame) => [...new SlipDecoder(room).decode(line)];

describe('SLIP', () => {
  test('escapes its two special bytes as RFC 1055 has them', () => {
    expect(Buffer.from(encodeSlip(Uint8Array.of(1, 0xc0, 0xdb, 2))).toString('hex')).toBe('c001dbdcdbdd02c0');
  });

  test('is undone, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 })), bytes(10), (sent, cuts) => {
        const line = Buffer.concat(sent.map(encodeSlip));
        const decoder = new SlipDecoder(60);
        const received = inPieces(line, cuts).flatMap((piece) => [...decoder.decode(piece)]);
        expect(received).toEqual(sent);
      }),
    );
  });

  test('is in step again after one END, whatever came before', () => {
    fc.assert(
      fc.property(bytes(200), fc.uint8Array({ minLength: 1, maxLength: 60 }), (noise, sent) => {
        const line = Buffer.concat([noise, encodeSlip(sent)]);
        expect(decodeAll(line, 60).at(-1)).toEqual(sent);
      }),
    );
  });

  test('drops a frame that has no room or is badly escaped, and no other', () => {
    const good = Uint8Array.of(7);
    const fits = new Uint8Array(10).fill(9);
    for (const bad of [
      new Uint8Array(11),
      new Uint8Array(25),
      Uint8Array.of(0xdb, 1),
      Uint8Array.of(1, 0xdb),
    ]) {
      const line = Buffer.concat([encodeSlip(fits), Buffer.from(bad), encodeSlip(good)]);
      expect(decodeAll(line, 10)).toEqual([fits, good]);
    }
  });
});

describe('a frame', () => {
  test('is what was encoded', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(new Uint8Array(encodeFrame(frame)))).toEqual(frame);
      }),
    );
  });

  test('as docs/uart-protocol.md spells one out', () => {
    const frame = encodeFrame({ type: 1, sequence: 0x1234, payload: new Uint8Array() });
    expect(Buffer.from(frame).toString('hex')).toBe('01013412f150a9d0');
  });

  test('is refused with any one bit flipped', () => {
    const frame = encodeFrame({ type: 2, sequence: 515, payload: Uint8Array.of(1, 2, 3) });
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = Buffer.from(frame);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeFrame(flipped), `bit ${bit}`).toBeUndefined();
    }
  });

  test('is refused cut anywhere', () => {
    const frame = encodeFrame({ type: 2, sequence: 515, payload: Uint8Array.of(1, 2, 3) });
    for (let length = 0; length < frame.length; length++)
      expect(decodeFrame(frame.subarray(0, length))).toBeUndefined();
  });
});

test('a hostile line is read without a fault, and a good frame after it is found', () => {
  hostileLine(Date.now(), 20_000);
});
