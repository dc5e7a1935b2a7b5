import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { point2G, pointG } from '../../fixtures/factory-data/own-encoder.ts';
import {
  type CredentialsPage,
  decodeCredentialsPage,
  encodeCredentialsPage,
} from '../../src/factory-data/credentials-page.ts';
import { FactoryDataError } from '../../src/factory-data/refusal.ts';
import { vectorBytes, vectorsOf } from './vectors.ts';

const golden = vectorBytes('accepted/credentials.bin');
const minimal: CredentialsPage = {
  generation: 0,
  certificate: Uint8Array.of(0x30, 0),
  intermediates: [],
  trustAnchors: [Uint8Array.of(0x30, 0)],
  brokerNames: [],
  firmwareKey: undefined,
};

const certificates = fc.uint8Array({ minLength: 1, maxLength: 400 });
const pages: fc.Arbitrary<CredentialsPage> = fc.record({
  generation: fc.integer({ min: 0, max: 0xffffffff }),
  certificate: certificates,
  intermediates: fc.array(certificates, { maxLength: 3 }),
  trustAnchors: fc.array(certificates, { minLength: 1, maxLength: 3 }),
  brokerNames: fc.array(fc.stringMatching(/^[!-~]{1,253}$/), { maxLength: 3 }),
  firmwareKey: fc.constantFrom(undefined, new Uint8Array(pointG), new Uint8Array(point2G)),
});

describe('decodeCredentialsPage', () => {
  test.each(vectorsOf('credentials', 'accepted'))('reads $file: $why', ({ file, reads }) => {
    expect(inHex(decodeCredentialsPage(vectorBytes(file)))).toEqual(reads);
  });

  test.each(vectorsOf('credentials', 'refused'))('refuses $file ($rule): $why', ({ file, rule }) => {
    expect(() => decodeCredentialsPage(vectorBytes(file))).toThrow(expect.objectContaining({ rule }));
  });

  test('refuses a page with any one bit flipped', () => {
    const page = vectorBytes('accepted/credentials-in-page.bin');
    for (let bit = 0; bit < 700 * 8; bit++) {
      const flipped = Buffer.from(page);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => decodeCredentialsPage(flipped), `bit ${bit}`).toThrow(FactoryDataError);
    }
  });

  test('refuses a page cut anywhere', () => {
    for (let length = 0; length < golden.length; length++)
      expect(() => decodeCredentialsPage(golden.subarray(0, length)), `${length}`).toThrow(FactoryDataError);
  });

  test('answers random bytes with a refusal', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => refusesOrReads(bytes)));
  });

  test('answers random TLVs under a right header and hash with a page or a refusal, at once', () => {
    const types = fc.oneof(fc.integer({ min: 15, max: 22 }), fc.nat(0xffff));
    const tlvs = fc.array(fc.tuple(types, fc.nat(80), fc.uint8Array({ maxLength: 80 })), { maxLength: 12 });
    fc.assert(
      fc.property(tlvs, (list) => {
        const started = process.cpuUsage();
        refusesOrReads(sealed(list.map(([type, length, value]) => looseTlv(type, length, value))));
        expect(process.cpuUsage(started).user).toBeLessThan(100_000);
      }),
    );
  });
});

describe('encodeCredentialsPage', () => {
  test('writes the golden page', () => {
    expect(Buffer.from(encodeCredentialsPage(decodeCredentialsPage(golden))).equals(golden)).toBe(true);
  });

  test('writes what decodes to the same', () => {
    fc.assert(
      fc.property(pages, (page) => {
        expect(inHex(decodeCredentialsPage(encodeCredentialsPage(page)))).toEqual(inHex(page));
      }),
    );
  });

  test('fills a flash page to its last byte, and refuses one byte more', () => {
    const room = 4096 - encodeCredentialsPage({ ...minimal, certificate: Uint8Array.of(1) }).length + 4;
    expect(encodeCredentialsPage({ ...minimal, certificate: new Uint8Array(room) })).toHaveLength(4096);
    expectRefusal({ ...minimal, certificate: new Uint8Array(room + 1) }, 'too-long');
  });

  test.each<[string, Partial<CredentialsPage>, string]>([
    ['a negative generation', { generation: -1 }, 'value'],
    ['a generation of 33 bits', { generation: 2 ** 32 }, 'value'],
    ['a fractional generation', { generation: 0.5 }, 'value'],
    ['no trust anchor', { trustAnchors: [] }, 'missing'],
    ['an empty certificate', { certificate: new Uint8Array() }, 'value'],
    ['an empty intermediate', { intermediates: [new Uint8Array()] }, 'value'],
    ['a broker name with a line break', { brokerNames: ['a\n'] }, 'value'],
    ['a broker name outside ASCII', { brokerNames: ['bü'] }, 'value'],
    ['a firmware key off the curve', { firmwareKey: new Uint8Array(65).fill(4) }, 'value'],
    ['a value longer than a TLV can say', { certificate: new Uint8Array(65_537) }, 'too-long'],
  ])('refuses %s', (_, wrong, rule) => expectRefusal({ ...minimal, ...wrong }, rule));
});

function expectRefusal(page: CredentialsPage, rule: string): void {
  expect(() => encodeCredentialsPage(page)).toThrow(expect.objectContaining({ rule }));
}

function refusesOrReads(bytes: Uint8Array): void {
  try {
    decodeCredentialsPage(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FactoryDataError);
  }
}

function looseTlv(type: number, length: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4, 0xff);
  bytes.writeUInt16LE(type, 0);
  bytes.writeUInt16LE(length % 3 === 0 ? length : value.length, 2);
  bytes.set(value, 4);
  return bytes;
}

function sealed(tlvs: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([golden.subarray(0, 16), ...tlvs]);
  bytes.writeUInt32LE(bytes.length + 32, 8);
  bytes.writeUInt32LE(0xffffffff - bytes.length - 32, 12);
  return Buffer.concat([bytes, createHash('sha256').update(bytes).digest()]);
}

function inHex(page: CredentialsPage): object {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const { firmwareKey, ...rest } = page;
  return {
    ...rest,
    certificate: hex(page.certificate),
    intermediates: page.intermediates.map(hex),
    trustAnchors: page.trustAnchors.map(hex),
    ...(firmwareKey && { firmwareKey: hex(firmwareKey) }),
  };
}
