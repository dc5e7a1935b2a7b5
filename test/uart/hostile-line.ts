import { pointG } from '../../fixtures/factory-data/own-encoder.ts';
import { expect } from 'vitest';
import { parseAnswer, parseIdentity, parseJoinReport, parseSignature } from '../../src/uart/answers.ts';
import { decodeFrame, encodeFrame, maximumFrame } from '../../src/uart/frame.ts';
import { encodeSlip, SlipDecoder } from '../../src/uart/slip.ts';
import { type Random, randomFrom } from '../support/random.ts';

/** Cuts `line` after so many bytes each, over and over. */
export function inPieces(line: Uint8Array, cuts: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < line.length; turn++) {
    const length = 1 + (cuts[turn % Math.max(cuts.length, 1)] ?? 0);
    pieces.push(line.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/**
 * Reads `count` hostile things that may come over a line, through everything that reads them. None may throw; every answer
 * is one of its kind or none; and now and then a good frame follows, which must be found. More than 100 ms for one fails.
 */
export function hostileLine(seed: number, count: number): void {
  const random = randomFrom(seed);
  const decoder = new SlipDecoder(maximumFrame);
  let longest = 0;
  for (let at = 0; at < count; at++) {
    const bytes = hostile(random);
    const marked = encodeFrame({ type: 0x81, sequence: at & 0xffff, payload: Uint8Array.of(0, 0) });
    const from = process.cpuUsage();
    const frames = [...decoder.decode(bytes), ...decoder.decode(encodeSlip(marked))].map(decodeFrame);
    for (const frame of frames) if (frame) parseAll(frame.payload);
    longest = Math.max(longest, process.cpuUsage(from).user);
    if (frames.at(-1)?.sequence !== (at & 0xffff)) expect.fail(`seed ${seed}, case ${at}: out of step`);
  }
  // Processor time, not time on the clock: other tests run beside this one.
  expect(longest).toBeLessThan(100_000);
}

function parseAll(payload: Uint8Array): void {
  const answer = parseAnswer(payload);
  if (answer?.kind === 'refused') expect(answer.reason).toMatch(/^[a-z ,()0-9-]+$/);
  if (answer?.kind !== 'data') return;
  for (const parse of [parseIdentity, parseJoinReport, parseSignature]) parse(answer.data);
}

function hostile(random: Random): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return random.bytes(random.below(200));
    case 1: // too long to be held
      return Buffer.alloc(random.below(3 * maximumFrame), random.below(256));
    case 2: // escapes and ends
      return random.bytes(random.below(60)).map((byte) => [0xc0, 0xdb, 0xdc, 0xdd, byte][byte % 5] ?? 0);
    case 3: {
      // a frame that was damaged
      const frame = Buffer.from(encodeSlip(answer(random)));
      frame[random.below(frame.length)] = random.below(256);
      return frame.subarray(0, random.below(frame.length + 1));
    }
    default: // a sound frame from a device that lies
      return encodeSlip(answer(random));
  }
}

/** An answer of about the right length, often with an id and a point in it. */
function answer(random: Random): Uint8Array {
  const length = random.of([0, 1, 2, 12, 66, 112, random.below(300)]);
  const payload = random.bytes(length);
  if (length >= 2) payload.set([random.of([0, 0, 0, random.below(256)]), 0]);
  if (length === 112)
    payload.write(random.of(['ABCD1234', '00000000', 'abcd1234', 'A\x1b[2J\n\r\0']), 2, 'latin1');
  if (length === 112 && random.below(2) === 0) payload.set(pointG, 10);
  return encodeFrame({ type: 0x80 | random.below(6), sequence: random.below(0x10000), payload });
}
