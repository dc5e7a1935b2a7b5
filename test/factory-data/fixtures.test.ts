import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { credentialsVectors } from '../../fixtures/factory-data/credentials-vectors.ts';
import { identityVectors } from '../../fixtures/factory-data/identity-vectors.ts';
import { indexEntry } from '../../fixtures/factory-data/own-encoder.ts';
import { vectorBytes, vectorsOf } from './vectors.ts';

const made = [...identityVectors, ...credentialsVectors];

describe('the golden vectors', () => {
  test('are what their programs make', () => {
    for (const { file, bytes } of made) expect(vectorBytes(file).equals(bytes), file).toBe(true);
  });

  test('are all listed, and all that is listed is there', () => {
    const folder = join(import.meta.dirname, '../../fixtures/factory-data');
    const files = ['accepted', 'refused'].flatMap((sub) =>
      readdirSync(join(folder, sub)).map((name) => `${sub}/${name}`),
    );
    const listed = (['identity', 'credentials'] as const).flatMap((page) => [
      ...vectorsOf(page, 'accepted'),
      ...vectorsOf(page, 'refused'),
    ]);
    expect(listed.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
    expect(listed).toEqual(made.map(indexEntry));
  });
});
