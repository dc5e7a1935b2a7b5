import { createHook } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { csrRules, verifyCsr } from '../../src/csr/verify.ts';
import { verifyCsrs } from '../../src/csr/verify-many.ts';
import { assemble, badRequests, goodParts } from './bad-requests.ts';

/** More than are begun at a time. */
const many = Array.from({ length: 300 }, (_, at) =>
  assemble(goodParts((at + 1).toString(16).toUpperCase().padStart(8, '0'))),
);
const bad = (rule: string) => badRequests.find(([broken]) => broken === rule)?.[2]() ?? Buffer.alloc(0);

test('a list comes out in its order, each request as it would by itself', async () => {
  expect(await verifyCsrs(many)).toEqual(many.map(verifyCsr));
  expect(await verifyCsrs([])).toEqual([]);
});

test('every signature is verified on another thread', async () => {
  let elsewhere = 0;
  const jobs = new Set<number>();
  const hook = createHook({
    init: (id, type) => type === 'SIGNREQUEST' && jobs.add(id),
    before: (id) => (elsewhere += jobs.has(id) ? 1 : 0), // what is done on this thread comes back without
  });
  hook.enable();
  verifyCsr(many[0] ?? Buffer.alloc(0));
  expect({ jobs: jobs.size, elsewhere }).toEqual({ jobs: 1, elsewhere: 0 });
  await verifyCsrs(many);
  hook.disable();
  expect({ jobs: jobs.size, elsewhere }).toEqual({ jobs: 301, elsewhere: 300 });
});

describe('the first request that is refused is named by its place, its device and the rule', () => {
  test.each(badRequests)('%s: %s', async (name, _, make) => {
    const refused = verifyCsrs([...many.slice(0, 2), make(), bad('not-der')]);
    await expect(refused).rejects.toMatchObject({
      code: 'request-refused',
      exit: 8,
      facts: { place: 3, name, rule: csrRules[name as keyof typeof csrRules] },
    });
  });

  test('whichever is found first: one with a bad signature comes before one that is no request', async () => {
    const list = [...many.slice(0, 280), bad('signature'), ...many.slice(280), bad('not-der')];
    await expect(verifyCsrs(list)).rejects.toMatchObject({
      message: `request 281 of the batch, of device ABCD1234, is refused: ${csrRules.signature}`,
    });
  });

  test.each([
    ['attributes', 'ABCD1234'],
    ['off-curve', 'ABCD1234'],
    ['device-id', 'unknown'],
    ['subject', 'unknown'],
    ['not-der', 'unknown'],
  ])('the device as far as it can be read: %s, %s', async (rule, id) => {
    await expect(verifyCsrs([bad(rule)])).rejects.toMatchObject({ facts: { id } });
  });
});

test('what is not a refusal is not made one', async () => {
  const bug = Object.defineProperty(new Uint8Array(), 'length', { get: () => outOfMemory() });
  await expect(verifyCsrs([...many.slice(0, 2), bug])).rejects.toThrow('out of memory');
});

function outOfMemory(): never {
  throw new RangeError('out of memory');
}
