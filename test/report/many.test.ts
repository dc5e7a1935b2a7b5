import { describe, expect, test } from 'vitest';
import { page } from '../../src/report/page/page.ts';
import type { Report } from '../../src/report/report.ts';
import type { Unit } from '../../src/report/unit.ts';
import { audited, learned, reportOf, voidLeaves } from './made-up.ts';

/** A year's work: every hundredth unit is void, three of the earliest are in doubt. */
const many = 100_000;
const one = learned(voidLeaves(0, 'write-failed', 'a'));

function unit(n: number): Unit {
  const id = (0x10000000 + n).toString(16).toUpperCase();
  const reservedAt = new Date(Date.UTC(2026, 0, 1) + n * 300_000).toISOString();
  const times = { reservedAt, settledAt: reservedAt, changedAt: reservedAt };
  if (n < 3)
    return { ...one, id, ...times, state: 'flashing', outcome: 'in doubt', reason: null, settledAt: null };
  const good = { state: 'installed', outcome: 'good', reason: null } as const;
  return { ...one, id, ...times, ...(n % 100 === 99 ? { reason: `by hand ${n}` } : good) };
}

const report: Report = {
  ...reportOf([]),
  units: Array.from({ length: many }, (_, n) => unit(n)),
  leavesOf: async () => voidLeaves(0, 'write-failed', 'a'),
};

describe('a page of 100,000 units', async () => {
  const pieces: string[] = [];
  for await (const piece of page(report, audited())) pieces.push(piece);
  const text = pieces.join('');
  const shown = [...text.matchAll(/id="unit-([0-9A-F]{8})"/g)].map(([, id]) => id ?? '');

  test('is small enough to be read, and is made in pieces small enough to be written as they come', () => {
    expect(text.length).toBeLessThan(2_000_000);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(100_000);
  });

  test('counts them all', () => {
    expect(text).toContain('<b>98,997</b>');
    expect(text).toContain('The histories of 1,000 of 100,000 units.');
    expect(text).toContain('980 more causes');
  });

  test('has the history of 1,000: those in doubt, then the void, the latest first', () => {
    expect(shown).toHaveLength(1000);
    expect(shown.slice(0, 3)).toEqual([0, 1, 2].map((n) => unit(n).id));
    const latest = Array.from({ length: 997 }, (_, n) => unit(99_999 - 100 * n).id).toReversed();
    expect(shown.slice(3)).toEqual(latest);
  });
});
