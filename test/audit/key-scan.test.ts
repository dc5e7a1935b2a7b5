import { createECDH, createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { KnownValues } from '../../src/audit/key-scan/known-values.ts';
import { type Sighting, sightingsIn } from '../../src/audit/key-scan/scan.ts';
import { Trial } from '../../src/audit/key-scan/trial.ts';
import { spkiSha256 } from '../../src/public-key.ts';
import { keyOf } from '../support/chosen-keys.ts';

interface Planted {
  readonly key: KeyObject;
  readonly scalar: Buffer;
  readonly point: Buffer;
}

let drawn = 0;

/** As good as random, and the same in every run: one key in some thousand may be missed, and these are not. */
function chance(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
    createHash('sha256')
      .update(`block ${(drawn += 1)}`)
      .digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

function newKey(): Planted {
  const scalar = chance(32);
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(scalar);
  return { key: keyOf(BigInt(`0x${scalar.toString('hex')}`)), scalar, point: pair.getPublicKey() };
}

/** What is seen by one who knows the public keys of these. */
function seen(bytes: Buffer, ...keys: readonly Planted[]): Sighting[] {
  const known = new KnownValues(1000);
  for (const { point } of keys) known.add(point.subarray(1, 33));
  return [...sightingsIn(bytes, new Trial(known, 100_000))];
}

const der = (key: KeyObject, type: 'pkcs8' | 'sec1') => Buffer.from(key.export({ format: 'der', type }));
const text = (words: string) => Buffer.from(words, 'latin1');
const pairs = (bytes: Buffer) => bytes.toString('hex').match(/../g) ?? [];

/** The ways in which programs write a key down. */
const forms: Record<string, (planted: Planted) => Buffer> = {
  'as bare bytes': ({ scalar }) => scalar,
  'in PKCS#8': ({ key }) => der(key, 'pkcs8'),
  'in SEC 1': ({ key }) => der(key, 'sec1'),
  'in PEM': ({ key }) => text(key.export({ format: 'pem', type: 'pkcs8' }).toString()),
  'in PEM as openssl ecparam writes it': ({ key }) =>
    text(key.export({ format: 'pem', type: 'sec1' }).toString()),
  'in base64 over lines': ({ key }) => text(der(key, 'pkcs8').toString('base64').replace(/.{64}/g, '$&\n')),
  'in a JWK': ({ key }) => text(JSON.stringify(key.export({ format: 'jwk' }))),
  'in base64': ({ scalar }) => text(scalar.toString('base64')),
  'in hex': ({ scalar }) => text(scalar.toString('hex')),
  'in HEX': ({ scalar }) => text(scalar.toString('hex').toUpperCase()),
  'in hex within longer hex': ({ scalar }) => text(`abc${scalar.toString('hex')}0123456789abcdef`),
  'as openssl prints it': ({ scalar }) =>
    text(
      `priv:\n    ${pairs(scalar)
        .join(':')
        .replace(/(.{45})/g, '$1\n    ')}\n`,
    ),
  'as a program has it': ({ scalar }) =>
    text(
      pairs(scalar)
        .map((pair) => `0x${pair}`)
        .join(', '),
    ),
  'as the JSON of a Buffer': ({ scalar }) => text(JSON.stringify(scalar)),
};
const surroundings: Record<string, [before: () => Buffer, after: () => Buffer]> = {
  alone: [() => Buffer.alloc(0), () => Buffer.alloc(0)],
  'among zeros': [() => Buffer.alloc(100), () => Buffer.alloc(100)],
  'among random bytes': [() => chance(100), () => chance(100)],
  'among words': [() => text('the key is:\n'), () => text('\nand nobody may know it.')],
};

describe.each(Object.entries(forms))('a key %s is found', (_, write) => {
  test.each(Object.entries(surroundings))('%s', (_, [before, after]) => {
    const key = newKey();
    const bytes = Buffer.concat([before(), write(key), after()]);
    const names = new Set(seen(bytes, key).flatMap(({ spkiSha256 }) => spkiSha256 ?? []));
    expect([...names]).toEqual([spkiSha256(key.point)]);
  });
});

test('of the bare bytes of a hundred keys not one is missed', () => {
  const keys = Array.from({ length: 100 }, newKey);
  const bytes = Buffer.concat(keys.flatMap(({ scalar }) => [chance(7), scalar]));
  expect(new Set(seen(bytes, ...keys).map(({ spkiSha256 }) => spkiSha256)).size).toBe(100);
});

describe('a key of nobody here', () => {
  test('is seen where its form gives it away, and as bare bytes looks like any others', () => {
    const key = newKey();
    for (const name of ['in PKCS#8', 'in SEC 1', 'in PEM', 'in base64 over lines'])
      expect(seen(forms[name]?.(key) ?? Buffer.alloc(0)).length, name).toBeGreaterThan(0);
    for (const name of ['as bare bytes', 'in hex', 'in base64'])
      expect(seen(forms[name]?.(key) ?? Buffer.alloc(0)), name).toEqual([]);
  });

  test.each([
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'pkcs8', 'pkcs1'],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey, 'pkcs8', 'pkcs8'],
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, 'pkcs8', 'sec1'],
    ['P-521', () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey, 'pkcs8', 'sec1'],
  ] as const)('is seen if it is one of %s', (_, make, ...types) => {
    const key = make();
    for (const type of types)
      for (const format of ['der', 'pem'] as const) {
        const bytes = Buffer.from(key.export({ format, type } as never));
        expect(seen(bytes)[0]?.spkiSha256, `${type} ${format}`).toBeNull();
      }
  });
});

test.each([
  ['random bytes', () => chance(200_000)],
  ['the numbers of a public key', () => newKey().point],
  [
    'a certificate request in PEM',
    () => text(`-----BEGIN CERTIFICATE REQUEST-----\n${'MIIB'.repeat(60)}\n-----END`),
  ],
  ['the end of a key in PEM', () => text('-----END PRIVATE KEY-----\n')],
])('%s are no key', (_, bytes) => {
  expect(seen(bytes(), newKey())).toEqual([]);
});

test('what is known is not tried, and what is tried is counted', () => {
  const known = new KnownValues(1000);
  const hashes = Array.from({ length: 100 }, () => chance(32));
  for (const hash of hashes.slice(1)) known.add(hash);
  const trial = new Trial(known, 2);
  const lines = hashes.map((hash) => `{"p":"${hash.toString('hex')}"}`).join('\n');
  expect([...sightingsIn(Buffer.concat([text(lines), Buffer.alloc(50), ...hashes.slice(1)]), trial)]).toEqual(
    [],
  );
  expect(trial).toMatchObject({ count: 1, isOver: false });
  expect([...sightingsIn(chance(200), trial)]).toEqual([]);
  expect(trial.isOver).toBe(true);
});
