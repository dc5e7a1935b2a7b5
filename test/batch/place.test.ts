import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../src/batch/manifest.ts';
import { type Due, noBatch, placeOf } from '../../src/batch/place.ts';
import { authorityName, fields, sha256, station } from './batches.ts';

const due: Due = { kind: 'requests', station: 'st07', authorities: [authorityName], last: undefined };

function batch(change: Partial<typeof fields>) {
  const bytes = Buffer.from(JSON.stringify({ ...fields, ...change }));
  const manifest = parseManifest(bytes);
  if (manifest.kind === 'fleet') throw new Error('a fleet has no place');
  return { manifest, signer: station.verifier, sha256: sha256(bytes), bytes, payload: new Map() };
}

const first = batch({});
const second = batch({ sequence: 2, previous: first.sha256 });
const third = batch({ sequence: 3, previous: second.sha256 });
const after = (last: typeof first): Due => ({
  ...due,
  last: { sequence: last.manifest.sequence, sha256: last.sha256 },
});

describe('the batch that is due', () => {
  test('is the first after none, and each one after the one before it', () => {
    expect(placeOf(first, due)).toBe('next');
    expect(placeOf(second, after(first))).toBe('next');
    expect(placeOf(third, after(second))).toBe('next');
  });

  test('may come again as long as no later one was taken', () => {
    expect(placeOf(first, after(first))).toBe('last');
    expect(placeOf(second, after(second))).toBe('last');
  });

  const otherFiles = (fields.files as object[]).map((entry) => ({ ...entry, length: 1 }));
  const otherSecond = batch({ sequence: 2, previous: first.sha256, files: otherFiles });
  const refusals: readonly [string, typeof first, Due, string, number][] = [
    ['one taken before the last', first, after(second), 'replay', 8],
    ['one whose predecessor is missing', third, after(first), 'gap', 8],
    ['a second one when none was taken', second, due, 'gap', 8],
    [
      'one that follows another first batch',
      batch({ sequence: 2, previous: noBatch }),
      after(first),
      'previous',
      7,
    ],
    ['a first one that follows something', batch({ previous: first.sha256 }), due, 'previous', 7],
    ['another one under the number of the last', otherSecond, after(second), 'fork', 7],
    ['one for another station', batch({ station: 'st08' }), due, 'station', 8],
    ['one for another CA', batch({ authority: 'acme-ca+00000000' }), due, 'authority', 8],
    ['one that goes the other way', first, { ...due, kind: 'certificates' }, 'kind', 8],
    ['one for another station in the right place', batch({ station: 'st08' }), after(first), 'station', 8],
  ];
  test.each(refusals)('is not %s', (_, given, expected, name, exit) => {
    expect(() => placeOf(given, expected)).toThrow(
      expect.objectContaining({ exit, facts: expect.objectContaining({ name }) }),
    );
  });
});
