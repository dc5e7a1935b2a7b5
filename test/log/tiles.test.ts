import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBundle,
  splitBundle,
  splitTile,
  type TilePlace,
  tilePath,
  tilesOf,
  tileWidthAt,
} from '../../src/log/tiles.ts';

describe('a tile', () => {
  // Examples of https://c2sp.org/tlog-tiles and of golang.org/x/mod/sumdb/tlog for the form of an index.
  test.each([
    [0, 'tile/0/000'],
    [999, 'tile/0/999'],
    [1000, 'tile/0/x001/000'],
    [1234067, 'tile/0/x001/x234/067'],
    [123456789012, 'tile/0/x123/x456/x789/012'],
  ])('%d lies at %s', (index, path) => {
    expect(tilePath({ level: 0, index, width: 256 })).toBe(path);
    expect(tilePath({ level: 0, index, width: 7 })).toBe(`${path}.p/7`);
    const bundle: TilePlace = { level: 'entries', index, width: 256 };
    expect(tilePath(bundle)).toBe(path.replace('tile/0', 'tile/entries'));
  });

  test('of a tree of 70,000 leaves is one of those that the specification counts', () => {
    const tiles = [...tilesOf(70_000)].filter(({ level }) => level !== 'entries');
    const full = (level: number) => tiles.filter((tile) => tile.level === level && tile.width === 256).length;
    expect([full(0), full(1), full(2)]).toEqual([273, 1, 0]);
    expect(tiles.filter(({ width }) => width < 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect([...tilesOf(70_000)].filter(({ level }) => level === 'entries')).toHaveLength(274);
  });

  test('of a tree of 256 leaves is a full one and one of width 1 above it', () => {
    expect([...tilesOf(256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
      { level: 'entries', index: 0, width: 256 },
    ]);
    expect([...tilesOf(0)]).toEqual([]);
  });

  test('has the width that the formula of the specification gives', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.nat({ max: 3 }), (size, level) => {
        const whole = Math.floor(size / 256 ** level);
        const last = Math.floor(whole / 256);
        expect(tileWidthAt(level, last, size)).toBe(whole % 256);
        expect(tileWidthAt(level, last + 1, size)).toBe(0);
        if (last > 0) expect(tileWidthAt(level, last - 1, size)).toBe(256);
      }),
    );
  });

  test('is split into its hashes, if it has exactly so many', () => {
    const bytes = Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
    expect(splitTile(bytes, 2)).toEqual([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
    for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.alloc(0)])
      expect(splitTile(wrong, 2)).toBeUndefined();
  });
});

describe('a bundle', () => {
  test('is its entries, each after its length in two bytes, the higher first', () => {
    const bundle = formatBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 0x78)]);
    expect(bundle.subarray(0, 9).toString('hex')).toBe('000261620000010278');
    expect(bundle).toHaveLength(2 + 2 + 2 + 2 + 258);
  });

  test('gives back what was put in', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 20 });
    fc.assert(
      fc.property(entries, (all) => {
        expect(splitBundle(formatBundle(all), all.length)?.map((entry) => [...entry])).toEqual(
          all.map((entry) => [...entry]),
        );
      }),
    );
  });

  test.each([
    ['cut in an entry', '000261'],
    ['cut in a length', '0002616200'],
    ['with an entry missing', ''],
    ['with an entry too many', '000261620000'],
  ])('%s is refused', (_, hex) => {
    expect(splitBundle(Buffer.from(hex, 'hex'), 1)).toBeUndefined();
    expect(splitBundle(Buffer.from('00026162', 'hex'), 1)).toHaveLength(1); // control
  });
});
