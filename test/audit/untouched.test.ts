import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StationLife } from '../support/station-life.ts';
import { audited, codesOf, workshopWithAuthorities } from './lived-in.ts';

const shop = workshopWithAuthorities();

/** What can happen at a station; `n` says to which unit. */
const happenings = {
  make: (life) => life.make(1),
  stop: (life, n) => life.add((['reserved', 'keyed', 'flashing', 'flashed'] as const)[n % 4] ?? 'keyed'),
  exchange: (life) => life.exchange(),
  install: (life, n) => life.install(idOf(n)),
  void: (life, n) => life.void(idOf(n), `given up, "for" reason ${n} \\ Ω`),
  lease: (life, n) => life.lease(`000000${n % 8}0-000000${n % 8}F`),
  succeed: (life) => life.succeed(),
} satisfies Record<string, (life: StationLife, n: number) => Promise<void>>;
type Happening = keyof typeof happenings;

const idOf = (n: number) => (1 + (n % 6)).toString(16).toUpperCase().padStart(8, '0');

const likely: Happening[] = ['make', 'make', 'make', 'stop', 'void', 'install', 'install', 'lease'];
const step = fc.tuple(fc.constantFrom(...likely), fc.nat(100));
/** Two batches in each life, and in between what comes. */
const story = fc
  .tuple(
    fc.array(step, { maxLength: 8 }),
    fc.array(step, { maxLength: 8 }),
    fc.constantFrom('succeed', 'make'),
  )
  .map(([before, between, then]): [Happening, number][] => [
    ['make', 0],
    ...before,
    ['exchange', 0],
    ...between,
    [then as Happening, 0],
    ['make', 0],
    ['exchange', 0],
    ['install', 1],
  ]);

test('whatever happens at a station, as long as lineside did it nobody is accused', async () => {
  let lives = 0;
  await fc.assert(
    fc.asyncProperty(story, async (happened) => {
      const workshop = join(shop.path, String((lives += 1)));
      const life = await StationLife.begin(workshop, shop.authorities);
      // What cannot be done just then is refused, and that is no reason to be accused either.
      for (const [what, n] of happened) await happenings[what](life, n).catch(mustBeRefusal);
      const findings = await audited(life.directory);
      expect(codesOf(findings).filter((code) => code !== 'unit-in-doubt')).toEqual([]);
      await rm(workshop, { recursive: true });
    }),
    { numRuns: 4 },
  );
});

function mustBeRefusal(error: unknown): void {
  const refusals = [
    'illegal-transition',
    'unit-not-found',
    'lease-taken',
    'lease-overlaps',
    'nothing-to-export',
  ];
  expect(refusals).toContain((error as { code?: string }).code);
}
