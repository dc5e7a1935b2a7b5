import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of fixtures/factory-data/vectors.json. */
export interface VectorEntry {
  readonly file: string;
  readonly why: string;
  readonly rule?: string;
  readonly head?: string;
  readonly reads?: unknown;
}

const folder = join(import.meta.dirname, '../../fixtures/factory-data');
const entries: VectorEntry[] = JSON.parse(readFileSync(join(folder, 'vectors.json'), 'utf8'));

export function vectorsOf(page: 'identity' | 'credentials', verdict: 'accepted' | 'refused'): VectorEntry[] {
  return entries.filter(({ file }) => file.startsWith(`${verdict}/${page}`));
}

export function vectorBytes(file: string): Buffer {
  return readFileSync(join(folder, file));
}
