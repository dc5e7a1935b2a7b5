import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SecretArena } from '../../src/secret.ts';
import { SecretScript } from '../../src/swd/secret-script.ts';

test('words are written as OpenOCD prints them: 0x, lower case, no leading zeros', () => {
  const words = fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 42 });
  fc.assert(
    fc.property(words, (values) => {
      const bytes = Buffer.alloc(values.length * 4);
      values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
      const script = new SecretScript(new SecretArena(), 1024);
      script.words(bytes);
      expect(Buffer.from(script.bytes).toString()).toBe(
        values.map((value) => `0x${value.toString(16)}`).join(' '),
      );
    }),
  );
});

test('a script lies in the arena and goes with it', () => {
  const arena = new SecretArena();
  const script = new SecretScript(arena, 64);
  script.text('set key ');
  script.words(Buffer.from('78563412', 'hex'));
  expect(Buffer.from(script.bytes).toString()).toBe('set key 0x12345678');
  arena.wipe();
  expect(script.bytes.every((byte) => byte === 0)).toBe(true);
});

test('a script longer than its room is refused, not cut', () => {
  const script = new SecretScript(new SecretArena(), 4);
  expect(() => script.text('12345')).toThrow(RangeError);
});
