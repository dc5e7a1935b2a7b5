import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeptUnits } from '../../src/log/history/kept-units.ts';
import { Units } from '../../src/log/history/units.ts';
import type { Leaf } from '../../src/log/leaf.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const t = '2026-11-23T09:00:00.000Z';
const leaf = (ev: string, id: number, more: Record<string, string | number | boolean | null> = {}): Leaf => ({
  v: 2,
  n: 0,
  t,
  p: '',
  station: 'st07',
  sw: '0.1.0',
  ev,
  id: hex(id),
  ...more,
});
const hex = (id: number) => id.toString(16).toUpperCase().padStart(8, '0');

/** Makes units as far as asked for, and voids those whose id is even. */
function work(units: Units, ids: readonly number[]): void {
  for (const id of ids) {
    units.reserve(leaf('unit.reserved', id));
    units.advance(
      leaf('unit.keyed', id, { from: 'reserved', to: 'keyed', csr: sha(`r${id}`), spki: sha(`k${id}`) }),
    );
    const flashing = { uid: `0011${hex(id)}`, probe: 'a', fw: null };
    units.advance(leaf('unit.flashing', id, { from: 'keyed', to: 'flashing', ...flashing }));
    if (id % 2 === 0)
      units.advance(leaf('unit.void', id, { from: 'flashing', to: 'void', reason: '","spki":null,"id":"' }));
  }
}

const textOf = (units: Units) => Buffer.concat([...units.lines()].map((some) => Buffer.from(some)));
const reopened = (units: Units) => new Units(new KeptUnits(textOf(units)), units.counts);

test('units that were kept are the same as those that were told of, whatever comes after', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(ids, fc.nat(), (all, cut) => {
      const [before, after] = [all.slice(0, cut % all.length), all.slice(cut % all.length)];
      const told = new Units();
      work(told, all);
      const first = new Units();
      work(first, before);
      const kept = reopened(first);
      work(kept, after);
      for (const units of [told, kept])
        for (const id of all) {
          units.advance(leaf('unit.flashed', id, { from: 'flashing', to: 'flashed' }));
          units.advance(leaf('unit.void', id, { from: 'flashed', to: 'void', reason: 'done' }));
        }
      expect(textOf(kept).toString()).toBe(textOf(told).toString());
      expect(kept.digest()).toBe(told.digest());
      expect(kept.counts).toEqual(told.counts);
      expect(kept.size).toBe(all.length);
      for (let id = 1; id <= 60; id++) expect(kept.find(id)).toEqual(told.find(id));
    }),
    { numRuns: 40 },
  );
});

test('keys and living chips of units that were kept are still taken', () => {
  const units = new Units();
  work(units, [1, 2]);
  const kept = reopened(units);
  work(kept, [3, 4]);
  const again = (id: number, key: number, chip: number) => {
    const fresh = reopened(kept);
    fresh.reserve(leaf('unit.reserved', id));
    const keyed = fresh.advance(
      leaf('unit.keyed', id, { from: 'reserved', to: 'keyed', csr: sha('r'), spki: sha(`k${key}`) }),
    );
    const flashing = { uid: `0011${hex(chip)}`, probe: 'a', fw: null };
    const flashed = fresh.advance(leaf('unit.flashing', id, { from: 'keyed', to: 'flashing', ...flashing }));
    return [keyed?.code, flashed?.code];
  };
  expect(again(9, 9, 9)).toEqual([undefined, undefined]);
  expect(again(9, 1, 9)).toEqual(['key-twice', undefined]);
  expect(again(9, 2, 9)).toEqual(['key-twice', undefined]);
  expect(again(9, 9, 3)).toEqual([undefined, 'chip-twice']);
  expect(again(9, 9, 4)).toEqual([undefined, undefined]); // its unit is void
});
