import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findingTable } from '../../src/audit/finding-table.ts';

const table = Object.entries(findingTable);
const page = readFileSync(new URL('../../docs/audit.md', import.meta.url), 'utf8');

test('docs/audit.md says what the table says, below the right severity, and nothing else', () => {
  const documented = page.split(/^### /m).flatMap((section) => {
    const severity = /^\w+/.exec(section)?.[0];
    const rows = section.matchAll(/^\| `(.+?)` \| (.+?) \| (.+?) \|$/gm);
    return [...rows].map(([, code, words, advice]) => [code, { severity, words, advice }]);
  });
  expect(Object.fromEntries(documented)).toEqual(findingTable);
});

test('every kind of finding is brought about in a test', () => {
  const tests = ['station.test.ts', 'untouched.test.ts'].map((name) =>
    readFileSync(new URL(name, import.meta.url), 'utf8'),
  );
  const untested = table.filter(([code]) => !tests.some((text) => text.includes(`'${code}'`)));
  expect(untested.map(([code]) => code)).toEqual([]);
});

test.for(table)(
  '%s begins in lower case, unless with a name or a fact, and ends without a full stop',
  ([, entry]) => {
    for (const text of [entry.words, entry.advice]) {
      expect(text).toMatch(/^([a-z"{]|SQLite |CA )/);
      expect(text).not.toMatch(/[.!\s]$|\n|\s{2}/);
    }
  },
);
