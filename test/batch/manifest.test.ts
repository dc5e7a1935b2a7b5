import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  composeManifest,
  type Header,
  parseManifest,
  type Payload,
  type PayloadFile,
} from '../../src/batch/manifest.ts';
import { LinesideError } from '../../src/errors.ts';
import { authorityName, checkpoint, consistency, fields, requests, sha256 } from './batches.ts';

const header: Extract<Header, { readonly kind: 'requests' }> = {
  kind: 'requests',
  station: 'st07',
  authority: authorityName,
  sequence: 1,
  previous: '0'.repeat(64),
};
const payload: Payload = new Map([
  ['checkpoint', Buffer.from(checkpoint)],
  ['consistency', Buffer.from(consistency)],
  ['requests.pem', Buffer.from(requests)],
]);
const parse = (text: string) => parseManifest(Buffer.from(text));
const refused = (name: string) =>
  expect.objectContaining({ code: 'batch-refused', facts: { rule: expect.anything(), name } });

describe('a manifest', () => {
  test('is the canonical JSON that was written here by hand', () => {
    const byHand = JSON.stringify(fields);
    expect(Buffer.from(composeManifest(header, payload)).toString()).toBe(byHand);
    expect(parse(byHand)).toEqual({ ...fields });
  });

  test('of any batch reads back as what was composed', () => {
    const hash = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex'));
    const anyHeader = fc.record({
      station: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/),
      authority: fc.stringMatching(/^[!-*,-~]{1,64}\+[0-9a-f]{8}$/),
      sequence: fc.integer({ min: 1, max: 0xffffffff }),
      previous: hash,
      answers: fc.option(hash),
      generation: fc.integer({ min: 1, max: 0xffffffff }),
      kind: fc.constant('certificates' as const),
    });
    const optional = fc.subarray<PayloadFile>(['anchors.pem', 'checkpoint', 'crl.pem']);
    fc.assert(
      fc.property(anyHeader, optional, fc.uint8Array(), (any, more, bytes) => {
        const files = new Map<PayloadFile, Uint8Array>([
          ['chain.pem', bytes],
          ['certificates.pem', bytes],
        ]);
        for (const name of more) files.set(name, bytes);
        const { schema, files: entries, ...read } = parseManifest(composeManifest(any, files));
        expect({ schema, read }).toEqual({ schema: 1, read: any });
        expect(entries.map(({ name }) => name)).toEqual([...files.keys()].sort());
        expect(new Set(entries.map((entry) => entry.sha256))).toEqual(new Set([sha256(bytes)]));
      }),
    );
  });

  const canonical = JSON.stringify(fields);
  const { authority, ...later } = fields;
  const otherForms: Record<string, string> = {
    'a key twice': canonical.replace('{', `{"authority":${JSON.stringify(authority)},`),
    'a key twice, the second one other': canonical.replace('}', ',"sequence":2}'),
    'a key nobody knows': canonical.replace('{', '{"also":1,'),
    'the key __proto__': canonical.replace('{', '{"__proto__":{"kind":"requests"},'),
    'a key of a file nobody knows': canonical.replace('"name"', '"mode":7,"name"'),
    'white space': canonical.replace(',', ', '),
    'a newline at the end': `${canonical}\n`,
    'text after its end': `${canonical}{}`,
    'a byte order mark': `\ufeff${canonical}`,
    'an escape that is not needed': canonical.replace('st07', '\\u0073t07'),
    'a number in another form': canonical.replace('"sequence":1', '"sequence":1e0'),
    'keys in another order': JSON.stringify({ ...later, authority }),
    'an array for an object': `[${canonical}]`,
    'half of it': canonical.slice(0, canonical.length / 2),
    nothing: '',
  };
  test.each(Object.entries(otherForms))('with %s is none', (_, text) => {
    expect(() => parse(text)).toThrow(refused('manifest'));
    expect(parse(canonical)).toBeDefined(); // control
  });

  const inOrder = (manifest: object) =>
    JSON.stringify(
      Object.fromEntries(Object.entries(manifest).sort(([one], [other]) => (one < other ? -1 : 1))),
    );
  const answering = { kind: 'certificates', answers: null, generation: 1 };
  const [first, second, entry] = fields.files as Record<string, unknown>[];
  const withEntry = (change: object) => [first, second, { ...entry, ...change }];
  const wrongValues: readonly [what: string, change: Record<string, unknown>, rule: string][] = [
    ['another schema', { schema: 2 }, 'manifest'],
    ['a kind there is not', { kind: 'orders' }, 'manifest'],
    ['a station that is a path', { station: '../st07' }, 'manifest'],
    ['an authority without a key hash', { authority: 'acme-ca' }, 'manifest'],
    ['an authority with a space', { authority: 'acme ca+00000000' }, 'manifest'],
    ['sequence 0', { sequence: 0 }, 'manifest'],
    ['a sequence of more than 32 bits', { sequence: 2 ** 32 }, 'manifest'],
    ['a sequence that is not whole', { sequence: 1.5 }, 'manifest'],
    ['a sequence that is text', { sequence: '1' }, 'manifest'],
    ['a previous hash in upper case', { previous: 'A'.repeat(64) }, 'manifest'],
    ['no previous hash', { previous: null }, 'manifest'],
    ['requests that answer something', { answers: '0'.repeat(64) }, 'manifest'],
    ['no files', { files: [] }, 'missing-file'],
    ['a file outside the batch', { files: withEntry({ name: '../requests.pem' }) }, 'manifest'],
    ['a file with a NUL in its name', { files: withEntry({ name: 'requests.pem\0' }) }, 'manifest'],
    ['a file with a name in upper case', { files: withEntry({ name: 'REQUESTS.PEM' }) }, 'manifest'],
    [
      'itself among its files',
      { files: [...withEntry({}), { ...entry, name: 'manifest.json' }] },
      'manifest',
    ],
    ['a file twice', { files: [...withEntry({}), entry] }, 'manifest'],
    ['no checkpoint', { files: [second, entry] }, 'missing-file'],
    ['no proof of consistency', { files: [first, entry] }, 'missing-file'],
    [
      'a file of the other kind',
      { files: [first, second, { ...entry, name: 'crl.pem' }, entry] },
      'unknown-file',
    ],
    ['the payload of the other kind', answering, 'missing-file'],
    ['certificates of no generation', { ...answering, generation: 0 }, 'manifest'],
    ['requests with a generation', { generation: 1 }, 'manifest'],
    ['a length below 0', { files: withEntry({ length: -1 }) }, 'manifest'],
    ['a file over 256 MiB', { files: withEntry({ length: 2 ** 28 + 1 }) }, 'manifest'],
  ];
  test.each(wrongValues)('with %s is refused', (_, change, rule) => {
    expect(() => parse(inOrder({ ...fields, ...change }))).toThrow(refused(rule));
  });

  test('of files that are over 256 MiB together is refused', () => {
    const half = (name: string) => ({ ...entry, length: 2 ** 27, name });
    const two = [half('certificates.pem'), half('chain.pem')];
    const certificates = { ...fields, ...answering };
    expect(parse(inOrder({ ...certificates, files: two }))).toBeDefined();
    const more = [{ ...entry, length: 1, name: 'anchors.pem' }, ...two];
    expect(() => parse(inOrder({ ...certificates, files: more }))).toThrow(refused('too-large'));
  });

  test('that cannot be read again is not composed', () => {
    expect(() => composeManifest(header, new Map([['crl.pem', Buffer.from('')]]))).toThrow(
      refused('missing-file'),
    );
    expect(() => composeManifest({ ...header, station: 'ST07' }, payload)).toThrow(refused('manifest'));
  });

  test('read from any bytes is refused in our words, and never by a crash', () => {
    const any = fc.oneof(
      fc.uint8Array(),
      fc.json().map((json) => Buffer.from(json)),
      fc.json().map((json) => Buffer.from(`${canonical}${json}`)),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        expect(() => parseManifest(bytes)).toThrow(LinesideError);
      }),
    );
  });
});
