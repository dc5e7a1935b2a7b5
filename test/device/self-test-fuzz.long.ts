import { test } from 'vitest';
import { hostileBatch } from './self-test-fuzz.ts';

test('1,000,000 hostile requests do not make a device do anything wrong', async () => {
  const first = Date.now();
  for (let batch = 0; batch < 50; batch++) await hostileBatch(first + batch, 20_000);
});
