import { test } from 'vitest';
import { hostileBroker } from './hostile-broker.ts';

test('3,000 devices end in order when the right broker speaks a broken MQTT', async () => {
  await hostileBroker(Date.now(), 3000);
});
