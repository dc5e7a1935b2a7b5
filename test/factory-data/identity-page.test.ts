import { createECDH } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceIdFromNumber, parseDeviceId } from '../../src/device.ts';
import {
  decodeIdentityHead,
  encodeIdentityPage,
  identityPageHeadLength,
  identityPageLength,
} from '../../src/factory-data/identity-page.ts';
import { readIdentityPage } from './identity-page-reader.ts';
import { vectorBytes, vectorsOf } from './vectors.ts';

const golden = vectorBytes('accepted/identity.bin');
const goldenId = parseDeviceId('ABCD1234');
const goldenPoint = golden.subarray(32, 97);
const goldenKey = golden.subarray(104, 136);

const ids = fc.integer({ min: 1, max: 0xfffffffe }).map(deviceIdFromNumber);
const keyPairs = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  const pair = createECDH('prime256v1');
  // Below 2^255 and not zero, so always a scalar of P-256.
  pair.setPrivateKey(Buffer.from(bytes).fill(0x01, 0, 1));
  return { point: pair.getPublicKey(), key: pair.getPrivateKey() };
});

describe('encodeIdentityPage', () => {
  test('writes the golden page', () => {
    const arena = Buffer.alloc(identityPageLength);
    expect(encodeIdentityPage(arena, goldenId, goldenPoint, goldenKey)).toBe(168);
    expect(arena.equals(golden)).toBe(true);
  });

  test('writes nothing after the page', () => {
    const arena = Buffer.alloc(4096, 0xa5);
    const length = encodeIdentityPage(arena, goldenId, goldenPoint, goldenKey);
    expect(arena.subarray(length).every((byte) => byte === 0xa5)).toBe(true);
  });

  test('writes a page that an independent reader reads back', () => {
    fc.assert(
      fc.property(ids, keyPairs, fc.nat(64), (id, { point, key }, offset) => {
        const arena = Buffer.alloc(4096).subarray(offset);
        const length = encodeIdentityPage(arena, id, point, key);
        expect(readIdentityPage(arena.subarray(0, length))).toEqual({
          id,
          publicKey: point.toString('hex'),
          privateKey: key.toString('hex'),
        });
      }),
    );
  });

  test('takes the private key from the memory it writes to', () => {
    const arena = Buffer.alloc(4096);
    goldenKey.copy(arena, 4000);
    encodeIdentityPage(arena, goldenId, goldenPoint, arena.subarray(4000, 4032));
    expect(arena.subarray(0, 168).equals(golden)).toBe(true);
  });

  test.each([
    ['a public key off the curve', 4096, Buffer.from(goldenPoint).fill(1, 64), goldenKey, 'value'],
    ['a compressed public key', 4096, Buffer.from([2, ...goldenPoint.subarray(1, 33)]), goldenKey, 'value'],
    ['a private key of 31 bytes', 4096, goldenPoint, goldenKey.subarray(1), 'value'],
    ['a private key of 33 bytes', 4096, goldenPoint, Buffer.alloc(33, 1), 'value'],
    ['memory one byte too small', 167, goldenPoint, goldenKey, 'too-long'],
  ])('refuses %s and writes nothing', (_, room, point, key, rule) => {
    const arena = new Uint8Array(room);
    expect(() => encodeIdentityPage(arena, goldenId, point, key)).toThrow(expect.objectContaining({ rule }));
    expect(arena.every((byte) => byte === 0)).toBe(true);
  });

  test('names no byte of the private key when it refuses', () => {
    const encode = () =>
      encodeIdentityPage(new Uint8Array(4096), goldenId, goldenPoint, goldenKey.subarray(1));
    expect(encode).toThrow('factory data refused (value): a private key is not 32 bytes');
  });
});

describe('the independent reader of the whole identity page', () => {
  test.each(vectorsOf('identity', 'accepted'))('reads $file: $why', ({ file, reads }) => {
    expect(readIdentityPage(vectorBytes(file))).toEqual(reads);
  });

  test.each(vectorsOf('identity', 'refused'))('refuses $file ($rule): $why', ({ file, rule }) => {
    expect(() => readIdentityPage(vectorBytes(file))).toThrow(new Error(rule));
  });

  test('refuses a page with any one bit flipped', () => {
    forEveryBit(golden, (page) => expect(() => readIdentityPage(page)).toThrow());
  });

  test('refuses a page cut anywhere', () => {
    for (let length = 0; length < golden.length; length++)
      expect(() => readIdentityPage(golden.subarray(0, length)), `${length}`).toThrow();
  });
});

describe('decodeIdentityHead', () => {
  test('stops where the private key begins', () => {
    expect(identityPageHeadLength).toBe(100);
    expect(golden.readUInt16LE(identityPageHeadLength)).toBe(3);
  });

  const vectors = [...vectorsOf('identity', 'accepted'), ...vectorsOf('identity', 'refused')];
  test.each(vectors)('finds $head in the head of $file', ({ file, head }) => {
    const found = decodeIdentityHead(vectorBytes(file).subarray(0, identityPageHeadLength));
    const golden = { id: 'ABCD1234', publicKey: goldenPoint.toString('hex') };
    expect(found).toEqual(head === 'identity' ? { kind: head, ...golden } : { kind: head });
  });

  test('finds what was encoded', () => {
    fc.assert(
      fc.property(ids, keyPairs, (id, { point, key }) => {
        const arena = new Uint8Array(identityPageLength);
        encodeIdentityPage(arena, id, point, key);
        const head = decodeIdentityHead(arena.subarray(0, identityPageHeadLength));
        expect(head).toEqual({ kind: 'identity', id, publicKey: point.toString('hex') });
      }),
    );
  });

  test('finds every flipped bit outside the minor version and the id, which only the hash protects', () => {
    forEveryBit(golden.subarray(0, identityPageHeadLength), (head, at) => {
      const unprotected = at === 5 || (at >= 20 && at < 28);
      if (!unprotected) expect(decodeIdentityHead(head), `byte ${at}`).toEqual({ kind: 'damaged' });
    });
  });

  test.each([0, 99, 101, 168, 4096])('takes %i bytes for damaged, also blank ones', (length) => {
    const page = Buffer.concat([golden, Buffer.alloc(4096 - 168, 0xff)]).subarray(0, length);
    expect(decodeIdentityHead(page)).toEqual({ kind: 'damaged' });
    expect(decodeIdentityHead(page.fill(0xff))).toEqual({ kind: 'damaged' });
  });

  test('takes any trace of a body without its magic word for an interrupted write', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 99 }), fc.nat(254), (at, byte) => {
        const head = new Uint8Array(identityPageHeadLength).fill(0xff);
        head[at] = byte;
        expect(decodeIdentityHead(head)).toEqual({ kind: 'interrupted' });
      }),
    );
  });

  test('never throws', () => {
    const bytes = fc.uint8Array({ maxLength: 120 });
    const header = golden.subarray(0, 16);
    fc.assert(fc.property(bytes, (head) => void decodeIdentityHead(head)));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 84, maxLength: 84 }), (body) => {
        expect(decodeIdentityHead(Buffer.concat([header, body])).kind).toBe('damaged');
      }),
    );
  });
});

function forEveryBit(bytes: Buffer, check: (flipped: Buffer, at: number) => void): void {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (bit & 7)), at);
    check(flipped, at);
  }
}
