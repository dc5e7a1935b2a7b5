import { createECDH, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { makeKeyPair } from '../../src/keygen/key-pair.ts';
import { importPublicKey, spkiSha256, subjectPublicKeyInfo } from '../../src/public-key.ts';
import { SecretArena } from '../../src/secret.ts';

test('the scalar in the arena belongs to the public key, also when it has leading zeros', () => {
  const judge = createECDH('prime256v1');
  let leadingZero = false;
  // One key in 256 has a first byte of zero, which OpenSSL hands out shorter: 3,000 keys miss it once in 10^5 runs.
  for (let made = 0; made < 3000; made += 1) {
    const arena = new SecretArena();
    const { publicKey, privateKey } = makeKeyPair(arena);
    judge.setPrivateKey(privateKey);
    expect(judge.getPublicKey().equals(publicKey)).toBe(true);
    leadingZero ||= privateKey[0] === 0;
  }
  expect(leadingZero).toBe(true);
});

test('what it signs, OpenSSL verifies with the exported public key', () => {
  const pair = makeKeyPair(new SecretArena());
  const message = Buffer.from('message');
  const key = createPublicKey({
    key: Buffer.from(subjectPublicKeyInfo(pair.publicKey)),
    format: 'der',
    type: 'spki',
  });
  expect(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, pair.sign(message))).toBe(true);
  expect(
    verify('sha256', Buffer.from('another'), { key, dsaEncoding: 'ieee-p1363' }, pair.sign(message)),
  ).toBe(false);
});

test('the arena holds one well-formed PKCS#8 key, and nothing after a wipe', () => {
  const arena = new SecretArena();
  const pair = makeKeyPair(arena);
  const whole = Buffer.from(pair.privateKey.buffer);
  const key = createPrivateKey({ key: whole.subarray(0, 138), format: 'der', type: 'pkcs8' });
  expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  arena.wipe();
  expect(whole.every((byte) => byte === 0)).toBe(true);
  expect(() => pair.sign(Buffer.from('message'))).toThrow();
});

test('an arena shows nothing of what it holds', () => {
  const arena = new SecretArena();
  const text = Buffer.from(makeKeyPair(arena).privateKey).toString('hex');
  const shown = [JSON.stringify({ arena }), inspect(arena, { showHidden: true, depth: 9 })].join();
  expect(shown).not.toContain(text.slice(0, 8));
  expect(JSON.stringify({ arena })).toBe('{"arena":"[secret]"}');
});

test('an arena never hands out more than its page', () => {
  const arena = new SecretArena();
  arena.take(4000);
  expect(() => arena.take(97)).toThrow(RangeError);
});

test('a key is named by the hash of its SubjectPublicKeyInfo as OpenSSL writes it', () => {
  const { publicKey } = makeKeyPair(new SecretArena());
  const exported = importPublicKey(publicKey)?.export({ format: 'der', type: 'spki' });
  expect(exported).toEqual(Buffer.from(subjectPublicKeyInfo(publicKey)));
  expect(spkiSha256(publicKey)).toMatch(/^[0-9a-f]{64}$/);
});

test.each([
  ['compressed', Buffer.concat([Buffer.of(2), Buffer.alloc(32, 1)])],
  ['off the curve', Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])],
  ['empty', Buffer.alloc(0)],
])('a point that is %s is not imported', (_name, point) => {
  expect(importPublicKey(point)).toBeUndefined();
});
