import type { Unit } from './unit.ts';

/** Units by how they ended. */
export interface Tally {
  readonly good: number;
  readonly void: number;
  readonly inDoubt: number;
}

export function tallyOf(units: readonly Unit[]): Tally {
  const count = (outcome: Unit['outcome']) => units.filter((unit) => unit.outcome === outcome).length;
  return { good: count('good'), void: count('void'), inDoubt: count('in doubt') };
}

/** The share of good units among those that are good or void, 0 to 1; null if there are none. */
export function yieldOf({ good, void: lost }: Tally): number | null {
  return good + lost === 0 ? null : good / (good + lost);
}

/** Units that are void for one reason. */
export interface Cause {
  /** An error code of lineside, or the words of whoever voided them. */
  readonly reason: string;
  readonly units: number;
  readonly first: string;
  readonly last: string;
}

/** The most frequent cause first. */
export function causesOf(units: readonly Unit[]): Cause[] {
  const causes = grouped(
    units.filter(({ outcome }) => outcome === 'void'),
    ({ reason }) => reason ?? '',
  );
  const told = [...causes].map(([reason, lost]) => {
    const times = lost.map(({ changedAt }) => changedAt).sort();
    return { reason, units: lost.length, first: times[0] ?? '', last: times.at(-1) ?? '' };
  });
  return told.sort((one, other) => other.units - one.units || compare(one.reason, other.reason));
}

/** The probe is null for units that failed before they had one on record. */
export function byProbe(units: readonly Unit[]): { readonly probe: string | null; readonly tally: Tally }[] {
  return [...grouped(units, ({ probe }) => probe)]
    .map(([probe, some]) => ({ probe, tally: tallyOf(some) }))
    .sort((one, other) => compare(one.probe ?? '\u{10ffff}', other.probe ?? '\u{10ffff}'));
}

/** How fast the line is. Null where there is nothing to tell it from. */
export interface Pace {
  /** Good units in an hour, over the hours in which a unit ended. */
  readonly perHour: number | null;
  readonly hours: number;
  readonly bestHour: number;
  /** Seconds from reservation to good: half of the units take no longer, 19 of 20 take no longer. */
  readonly median: number | null;
  readonly slow: number | null;
}

export function paceOf(units: readonly Unit[]): Pace {
  const hours = grouped(ended(units), ({ settledAt }) => settledAt.slice(0, 13));
  const good = [...hours.values()].map((some) => tallyOf(some).good);
  const total = good.reduce((sum, count) => sum + count, 0);
  const seconds = units
    .flatMap(({ outcome, seconds }) => (outcome === 'good' && seconds !== null ? [seconds] : []))
    .sort((one, other) => one - other);
  return {
    perHour: hours.size === 0 ? null : total / hours.size,
    hours: hours.size,
    bestHour: good.reduce((best, count) => Math.max(best, count), 0),
    median: quantile(seconds, 0.5),
    slow: quantile(seconds, 0.95),
  };
}

/** Nearest rank: a value that was measured. */
function quantile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

/** What happened in one stretch of time. */
export interface Stretch {
  readonly start: Date;
  readonly good: number;
  readonly void: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** Stretches begin on the full hour, at midnight UTC, on Mondays. */
const firstMonday = Date.UTC(1970, 0, 5);

const lengths = [
  { name: '10 minutes', ms: 10 * minute },
  { name: 'hour', ms: hour },
  { name: 'day', ms: day },
  { name: 'week', ms: 7 * day },
  { name: '4 weeks', ms: 28 * day },
  { name: '52 weeks', ms: 364 * day },
] as const;

/** More bars than this are not told apart. */
const maximumStretches = 72;

/** Good and void units over time, by when they ended, in stretches of the shortest length that gives few enough. */
export function overTime(units: readonly Unit[]): { readonly each: string; readonly stretches: Stretch[] } {
  const times = ended(units).map(({ settledAt, outcome }) => ({ at: Date.parse(settledAt), outcome }));
  const first = times.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = times.reduce((most, { at }) => Math.max(most, at), Number.NEGATIVE_INFINITY);
  if (times.length === 0) return { each: lengths[0].name, stretches: [] };
  const span = (ms: number) => place(last, ms) - place(first, ms) + 1;
  const { name, ms } = lengths.find(({ ms }) => span(ms) <= maximumStretches) ?? lengths[5];
  const stretches = Array.from({ length: span(ms) }, (_, at) => {
    return { start: new Date((place(first, ms) + at) * ms + firstMonday), good: 0, void: 0 };
  });
  for (const { at, outcome } of times) {
    const stretch = stretches[place(at, ms) - place(first, ms)];
    if (stretch && outcome !== 'in doubt') stretch[outcome] += 1;
  }
  return { each: name, stretches };
}

function place(at: number, ms: number): number {
  return Math.floor((at - firstMonday) / ms);
}

function ended(units: readonly Unit[]): (Unit & { readonly settledAt: string })[] {
  return units.filter((unit): unit is Unit & { readonly settledAt: string } => unit.settledAt !== null);
}

function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
