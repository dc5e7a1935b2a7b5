import { expect, test } from 'vitest';
import { hostileBroker } from './hostile-broker.ts';

test('a device ends in order when the right broker speaks a broken MQTT', async () => {
  const steps = await hostileBroker(Date.now(), 40);
  // Control: the conversations get to their later parts.
  expect([...steps.keys()]).toEqual(expect.arrayContaining(['connack', 'suback', 'puback']));
});
