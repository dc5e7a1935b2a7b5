import { expect, test } from 'vitest';
import { expectAgreement } from './agreement.ts';

const batch = 20_000;
const batches = 60;

test(`says of ${batch * batches} mutated pages what the codec says, and touches no byte outside them`, async () => {
  const first = Date.now();
  let good = 0;
  for (let at = 0; at < batches; at++) good += (await expectAgreement(first + at, batch)).get('ok') ?? 0;
  expect(good).toBeGreaterThan(1000);
}, 1_800_000);
