import { describe, expect, test } from 'vitest';
import { byProbe, causesOf, overTime, paceOf, tallyOf, yieldOf } from '../../src/report/production.ts';
import type { Unit } from '../../src/report/unit.ts';
import { percent } from '../../src/report/words.ts';
import { learned, voidLeaves } from './made-up.ts';

const voided = learned(voidLeaves(0, 'write-failed', 'a'));
const good: Unit = { ...voided, state: 'verified', outcome: 'good', reason: null };
const open: Unit = { ...voided, state: 'flashing', outcome: 'in doubt', reason: null, settledAt: null };
const times = <Item>(count: number, item: Item) => Array.from({ length: count }, () => item);
const at = (settledAt: string, unit = good): Unit => ({ ...unit, settledAt });

describe('the yield', () => {
  test('is the share of the good among the good and the void; what is in doubt is neither', () => {
    const tally = tallyOf([...times(3, good), voided, ...times(5, open)]);
    expect(tally).toEqual({ good: 3, void: 1, inDoubt: 5 });
    expect(yieldOf(tally)).toBe(0.75);
  });
  test('is unknown where nothing has ended', () => {
    expect(percent(yieldOf(tallyOf([open])))).toBe('–');
  });
  test('is 100 % only if it is all of them', () => {
    expect(percent(yieldOf({ good: 99_999, void: 1, inDoubt: 0 }))).toBe('99.9 %');
    expect(percent(1)).toBe('100.0 %');
    expect(percent(0.29)).toBe('29.0 %');
  });
});

test('causes come with the most frequent first, each with its first and last time', () => {
  const floor = { ...voided, reason: 'dropped' };
  const early = { ...floor, changedAt: '2026-11-24T23:59:59.000Z' };
  expect(causesOf([voided, floor, good, early])).toEqual([
    { reason: 'dropped', units: 2, first: early.changedAt, last: voided.changedAt },
    { reason: 'write-failed', units: 1, first: voided.changedAt, last: voided.changedAt },
  ]);
});

test('probes come by name, and last the units that had none', () => {
  const [b, none] = [
    { ...voided, probe: 'b' },
    { ...voided, probe: null },
  ];
  expect(byProbe([none, b, good, good])).toEqual([
    { probe: 'a', tally: { good: 2, void: 0, inDoubt: 0 } },
    { probe: 'b', tally: { good: 0, void: 1, inDoubt: 0 } },
    { probe: null, tally: { good: 0, void: 1, inDoubt: 0 } },
  ]);
});

describe('the pace', () => {
  test('counts only hours in which a unit ended', () => {
    const units = [
      ...times(6, at('2026-11-25T06:10:00.000Z')),
      ...times(2, at('2026-11-25T09:10:00.000Z')),
      at('2026-11-25T10:10:00.000Z', voided),
    ];
    expect(paceOf(units)).toMatchObject({ perHour: 8 / 3, hours: 3, bestHour: 6 });
  });
  test('is told by units that were measured, at the nearest rank', () => {
    const units = Array.from({ length: 20 }, (_, seconds) => ({ ...good, seconds: seconds + 1 }));
    expect(paceOf([...units, { ...voided, seconds: 1000 }])).toMatchObject({ median: 10, slow: 19 });
  });
  test('is unknown where nothing has ended', () => {
    expect(paceOf([open])).toEqual({ perHour: null, hours: 0, bestHour: 0, median: null, slow: null });
  });
});

describe('over time', () => {
  test.each([
    ['2026-11-25T06:00:00.000Z', '2026-11-25T17:59:00.000Z', '10 minutes', '2026-11-25T06:00:00.000Z', 72],
    ['2026-11-25T06:05:00.000Z', '2026-11-25T18:00:00.000Z', 'hour', '2026-11-25T06:00:00.000Z', 13],
    ['2026-11-22T05:30:00.000Z', '2026-11-25T06:00:00.000Z', 'day', '2026-11-22T00:00:00.000Z', 4],
    ['2026-08-05T12:00:00.000Z', '2026-11-25T06:00:00.000Z', 'week', '2026-08-03T00:00:00.000Z', 17],
    ['2020-01-01T12:00:00.000Z', '2024-11-25T06:00:00.000Z', '4 weeks', '2019-12-30T00:00:00.000Z', 65],
  ])('from %s to %s a bar is a %s, the first from %s', (first, last, each, start, bars) => {
    const { each: told, stretches } = overTime([at(last), at(first)]);
    expect(told).toBe(each);
    expect(stretches[0]?.start.toISOString()).toBe(start);
    expect(stretches).toHaveLength(bars);
  });

  test('every unit that ended is in one bar, and none that is in doubt', () => {
    const units = Array.from({ length: 300 }, (_, n) =>
      at(new Date(Date.UTC(2026, 10, 25) + n * 997_000).toISOString(), n % 7 === 0 ? voided : good),
    );
    const { stretches } = overTime([...units, open]);
    const sum = (kind: 'good' | 'void') => stretches.reduce((total, stretch) => total + stretch[kind], 0);
    expect({ good: sum('good'), void: sum('void') }).toEqual({ good: 257, void: 43 });
  });

  test('is empty where nothing has ended', () => {
    expect(overTime([open]).stretches).toEqual([]);
  });
});
