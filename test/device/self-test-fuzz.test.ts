import { expect, test } from 'vitest';
import { hostileBatch } from './self-test-fuzz.ts';

test('a device under hostile requests does nothing wrong, and still knows who it is', async () => {
  const statuses = await hostileBatch(Date.now(), 20_000);
  // Control: they get as far as each request, and to most of the ways to refuse one.
  for (const reached of [
    '1: 0',
    '2: 0',
    '2: 3',
    '3: 0',
    '3: 3',
    '3: 5',
    '3: 6',
    '3: 7',
    '4: 0',
    '5: 2',
    '1: 1',
  ])
    expect(statuses.get(reached) ?? 0, reached).toBeGreaterThan(0);
});
