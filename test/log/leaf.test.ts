import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unitStates } from '../../src/device.ts';
import { eventKeys } from '../../src/log/events.ts';
import { encodeLeaf } from '../../src/log/leaf.ts';
import { context } from '../support/log-context.ts';

const encode = encodeLeaf(context);
const t = '2026-11-23T09:14:02.117Z';
const sha = (text: string) => createHash('sha256').update(text).digest();
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('a leaf', () => {
  // Bytes made with Python: json.dumps(leaf, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
  test('is the canonical JSON that another implementation writes', () => {
    const event = {
      ev: 'unit.void',
      t,
      to: 'void',
      from: 'flashing',
      reason: 'Prüfling "7" \\ defekt / € 😀',
      id: 'ABCD1234',
    };
    expect(text(encode(event, 7, sha('previous')))).toBe(
      '{"ev":"unit.void","from":"flashing","id":"ABCD1234",' +
        '"m":"f6b1c2d3-0000-4000-8000-000000000001:5123.44","n":7,' +
        '"p":"6da0633528deaa0144e7b058315f0b753ec0b945163a72bf96a0d18180f9de0d",' +
        '"reason":"Prüfling \\"7\\" \\\\ defekt / € 😀","station":"st07","sw":"0.1.0",' +
        '"t":"2026-11-23T09:14:02.117Z","to":"void","v":2}',
    );
  });

  test('that is the first has 64 zeros for the one before', () => {
    expect(JSON.parse(text(encode({ ev: 'station.init', t, chip: 'nrf52840' }, 0, null)))).toEqual({
      v: 2,
      n: 0,
      m: 'f6b1c2d3-0000-4000-8000-000000000001:5123.44',
      t,
      ev: 'station.init',
      chip: 'nrf52840',
      station: 'st07',
      sw: '0.1.0',
      p: '0'.repeat(64),
    });
  });

  test('is the same bytes in whatever order the event has its keys', () => {
    const members = Object.entries(event('unit.flashing'));
    const anyOrder = fc.shuffledSubarray(members, { minLength: members.length });
    fc.assert(
      fc.property(anyOrder, (shuffled) => {
        expect(encode(Object.fromEntries(shuffled), 5, null)).toEqual(
          encode(event('unit.flashing'), 5, null),
        );
      }),
    );
  });

  test('reads back as what was given, whatever printable reason it has', () => {
    const reason = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((words) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(words) && Array.from(words).length <= 120);
    fc.assert(
      fc.property(reason, fc.nat(), (words, n) => {
        const leaf = JSON.parse(text(encode({ ...event('unit.void'), reason: words }, n, null)));
        expect(leaf).toMatchObject({ reason: words, n });
      }),
    );
  });

  test.each([...eventKeys.keys()])('has at most 4096 bytes with every key of %s at its longest', (ev) => {
    const seconds = () => 999_999_999_999;
    const longestNumber = 999_999_999_999_999;
    const longest = {
      probe: '"'.repeat(40),
      chip: 'c'.repeat(40),
      reason: '😀'.repeat(120),
      uid: '0'.repeat(32),
      ...Object.fromEntries(['size', 'before', ...unitStates].map((key) => [key, longestNumber])),
    };
    const keys = Object.entries(event(ev));
    const whole = keys.map(([key, value]) => [key, longest[key as keyof typeof longest] ?? value]);
    const writer = { station: 's'.repeat(40), sw: '1'.repeat(40), boot: { ...context.boot, seconds } };
    const leaf = encodeLeaf(writer)(Object.fromEntries(whole), longestNumber, null);
    expect(leaf.length).toBeLessThanOrEqual(4096);
  });
});

/** Each key the log has, with a value it takes. */
const values: Record<string, string | number | boolean | null> = {
  id: 'ABCD1234',
  from: 'flashed',
  to: 'verified',
  csr: 'a'.repeat(64),
  spki: 'b'.repeat(64),
  uid: '0011223344556677',
  probe: 'left:E6614103',
  fw: 'c'.repeat(64),
  proof: 'signature',
  locked: true,
  reason: 'no reason',
  lease: '00000001-0000FFFF',
  chip: 'nrf52840',
  signer: 'd'.repeat(64),
  batch: 1,
  manifest: 'e'.repeat(64),
  cert: 'f'.repeat(64),
  generation: 0xffffffff,
  ...Object.fromEntries(unitStates.map((state) => [state, 0])),
  digest: '0'.repeat(64),
  next: null,
  epoch: 2,
  before: 0,
  size: 0,
  root: '1'.repeat(64),
  backup: '2'.repeat(64),
  was: t,
};

/** An event with all that its kind says. */
function event(ev: string): Record<string, string | number | boolean | null> {
  return { t, ev, ...Object.fromEntries((eventKeys.get(ev) ?? []).map((key) => [key, values[key] ?? null])) };
}

/** One that says this key. */
function eventWith(key: string): Record<string, string | number | boolean | null> {
  const [ev] = [...eventKeys].find(([, keys]) => keys.includes(key)) ?? ['unit.void'];
  return event(ev);
}

describe('a value the log does not take', () => {
  const wrong: readonly [key: string, value: string | number | boolean | null][] = [
    ['t', '2026-11-23'],
    ['t', '2026-11-23T09:14:02.117+01:00'],
    ['ev', 'unit.lost'],
    ['ev', null],
    ['id', '00000000'],
    ['id', 'FFFFFFFF'],
    ['id', 'abcd1234'],
    ['id', 'ABCD12345'],
    ['from', 'broken'],
    ['to', null],
    ['csr', 'A'.repeat(64)],
    ['csr', 'a'.repeat(63)],
    ['spki', 'b'.repeat(65)],
    ['uid', '0011223'],
    ['uid', '0'.repeat(33)],
    ['uid', '00112233445566ff'],
    ['probe', 'two words'],
    ['probe', 'p'.repeat(41)],
    ['fw', ''],
    ['proof', 'trust me'],
    ['locked', 1],
    ['locked', 'true'],
    ['lease', '00000001'],
    ['chip', 'c'.repeat(41)],
    ['chip', 'nrf52840\n'],
    ['signer', 'st07'],
    ['batch', 0],
    ['batch', 1.5],
    ['batch', '1'],
    ['generation', 2 ** 32],
    ['manifest', null],
    ['cert', 'F'.repeat(64)],
    ['verified', -1],
    ['verified', '1'],
    ['next', ''],
    ['next', 'FFFFFFFF'],
    ['size', 0.5],
    ['root', ''],
    ['was', null],
    ['epoch', 0],
  ];
  test.each(wrong)('%s: %j is refused', (key, value) => {
    expect(() => encode(eventWith(key), 0, null)).not.toThrow();
    expect(() => encode({ ...eventWith(key), [key]: value }, 0, null)).toThrow(`what "${key}" was given`);
  });

  test.each([...eventKeys])('a key left out of %s is refused, and one too many', (ev, keys) => {
    for (const key of ['t', ...keys]) {
      const { [key]: _, ...rest } = event(ev);
      const refusal = key === 'reason' ? 'a reason is 1 to 120' : `what "${key}" was given`;
      expect(() => encode(rest, 0, null)).toThrow(refusal);
    }
    const [foreign = ''] = Object.keys(values).filter((key) => !keys.includes(key));
    expect(() => encode({ ...event(ev), [foreign]: values[foreign] ?? null }, 0, null)).toThrow(foreign);
  });

  test('an event that is none is refused', () => {
    const { ev: _, ...rest } = event('unit.void');
    expect(() => encode(rest, 0, null)).toThrow('was given');
  });

  test('firmware that is none is written as null', () => {
    expect(JSON.parse(text(encode({ ...event('unit.flashing'), fw: null }, 0, null)))).toMatchObject({
      fw: null,
    });
  });

  test.each(['d', 'key', 'privateKey', '__proto__', 'constructor', 'toString'])(
    'key "%s" is refused',
    (key) => {
      const more = Object.fromEntries([...Object.entries(event('unit.void')), [key, 'x']]);
      expect(() => encode(more, 0, null)).toThrow('no such key');
    },
  );

  test.each([
    ['v', 2],
    ['n', 0],
    ['m', 'f6b1c2d3-0000-4000-8000-000000000001:5123.44'],
    ['p', '0'.repeat(64)],
    ['station', 'st07'],
    ['sw', '0.1.0'],
  ])('an event does not say "%s", which is the writer\'s', (key, value) => {
    expect(() => encode({ ...event('unit.void'), [key]: value }, 0, null)).toThrow('no such key');
  });

  test.each([-1, 0.5, Number.NaN, 10 ** 15])('n = %d is refused', (n) => {
    expect(() => encode(event('unit.void'), n, null)).toThrow('what "n" was given');
  });

  test('a previous hash that has not 32 bytes is refused', () => {
    expect(() => encode(event('unit.void'), 1, new Uint8Array(31))).toThrow('what "p" was given');
  });

  test.each([
    { station: 'two words' },
    { sw: '' },
    { boot: { id: 'f6b1c2d3', seconds: () => 1 } },
    { boot: { ...context.boot, seconds: () => -1 } },
    { boot: { ...context.boot, seconds: () => Number.NaN } },
  ])('a writer %j is refused', (other) => {
    expect(() => encodeLeaf({ ...context, ...other })(event('unit.void'), 0, null)).toThrow('was given');
  });
});

describe('a private key', () => {
  const key = Buffer.from('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721', 'hex'); // RFC 6979 A.2.5
  const forms: readonly [name: string, form: string][] = [
    ['hex', key.toString('hex')],
    ['HEX', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['base64url', key.toString('base64url')],
    ['openssl text', key.toString('hex').replace(/..(?!$)/g, '$&:')],
    ['hex dump', key.toString('hex').replace(/..(?!$)/g, '$& ')],
    ['words', key.toString('hex').replace(/.{8}(?!$)/g, '0x$&, ')],
    ['a sentence with base64 in it', `write of ${key.toString('base64')} failed`],
  ];

  test.each(forms)('is refused as a reason: %s', (_, form) => {
    expect(form.length).toBeLessThanOrEqual(120);
    const attempt = () => encode({ ...event('unit.void'), reason: form }, 0, null);
    expect(attempt).toThrow('nothing in it that could be a key');
    expect(messageOf(attempt)).not.toContain(form.slice(0, 20));
  });

  test('leaves room for 120 characters of reason', () => {
    expect(text(encode({ ...event('unit.void'), reason: 'x '.repeat(60) }, 0, null))).toContain(
      'x '.repeat(60),
    );
  });

  test('would be found by this test: words that are no key pass, and stand in the leaf', () => {
    const reason = `write of ${key.toString('base64').slice(0, 42)} failed`;
    expect(text(encode({ ...event('unit.void'), reason }, 0, null))).toContain(reason);
    expect(
      text(
        encode(
          { ...event('unit.void'), reason: 'the board was dropped, cracked and added to the scrap box' },
          0,
          null,
        ),
      ),
    ).toContain('scrap');
  });

  test.each(['base64', 'base64url', 'hex'] as const)('does not fit any other key of words as %s', (form) => {
    for (const where of ['ev', 'id', 'from', 'to', 'uid', 'probe', 'proof', 'lease', 'chip', 't'])
      expect(() => encode({ ...eventWith(where), [where]: key.toString(form) }, 0, null)).toThrow(
        `what "${where}" was given`,
      );
  });

  test.each([
    '',
    `${'x '.repeat(60)}x`,
    'two\nlines',
    '\u001b[31mred',
    'a\u202eb',
    '\ud800',
    'a\u0000b',
    'a\u2028b',
  ])('a reason that is not 1 to 120 printable characters is refused: %j', (reason) => {
    expect(() => encode({ ...event('unit.void'), reason }, 0, null)).toThrow('1 to 120 printable characters');
  });
});

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return String(error);
  }
  return 'no error';
}
