import { expect } from 'vitest';
import { mutatedPages } from './page-mutations.ts';
import { readHere, readOnDevice } from './page-reader.ts';

/**
 * Both readers on `count` mutated pages. They must agree on which pages are good and what these say, and on blank and
 * interrupted ones; of several things that are wrong with a page each may name another. Returns how often each was said.
 */
export async function expectAgreement(seed: number, count: number): Promise<Map<string, number>> {
  const cases = mutatedPages(seed, count);
  const onDevice = await readOnDevice(cases);
  const said = new Map<string, number>();
  for (const [at, each] of cases.entries()) {
    const here = readHere(each);
    const there = onDevice[at] ?? '';
    const word = there.split(' ')[0] ?? '';
    said.set(word, (said.get(word) ?? 0) + 1);
    if (meaning(here) !== meaning(there))
      expect.fail(`seed ${seed}, case ${at}, ${each.kind}: "${here}" here, "${there}" on the device`);
  }
  return said;
}

function meaning(verdict: string): string {
  return /^(ok|blank|interrupted)\b/.test(verdict) ? verdict : 'refused';
}
