import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorTable } from '../src/errors.ts';

const table = Object.entries(errorTable).map(([code, { exit, what, action }]) => ({
  code,
  exit,
  what,
  action,
}));
const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
const texts = table.flatMap(({ code, what, action }) => [
  [`${code}: what`, what] as const,
  [`${code}: action`, action] as const,
]);

test('docs/errors.md says what src/errors.ts says, below the right exit code, and nothing else', () => {
  const documented = page.split(/^## /m).flatMap((section) => {
    const exit = Number(/^\d+/.exec(section)?.[0]);
    const rows = section.matchAll(/^\| `(.+?)` \| (.+?) \| (.+?) \|$/gm);
    return [...rows].map(([, code, what, action]) => ({ code, exit, what, action }));
  });
  const byCode = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).toSorted();
  expect(byCode(documented)).toEqual(byCode(table));
});

test('every exit code has a section that says what it means for the board and the line', () => {
  const sections = [...page.matchAll(/^## (\d+): .+\n\n[A-Z].+\.\n\n\| code /gm)].map(([, exit]) =>
    Number(exit),
  );
  const exits = new Set(table.map(({ exit }) => exit));
  expect(new Set(sections)).toEqual(exits);
  expect(sections).toEqual(sections.toSorted((one, other) => one - other));
});

test('every code is thrown somewhere', () => {
  const source = ['../src', '../bin'].flatMap(sources);
  const unused = table.filter(({ code }) => !source.some((text) => text.includes(`'${code}'`)));
  expect(unused.map(({ code }) => code)).toEqual([]);
});

test.for(texts)(
  '%s begins in lower case, unless with a name or a fact, and ends without a full stop',
  ([, text]) => {
    expect(text).toMatch(/^([a-z"{]|OpenOCD )/);
    expect(text).not.toMatch(/[.!\s]$|\n|\s{2}/);
  },
);

test.for(texts)('%s has placeholders of letters alone', ([, text]) => {
  const placeholders = [...text.matchAll(/\{([^}]*)\}?/g)].map(([whole]) => whole);
  expect(placeholders.filter((placeholder) => !/^\{[a-zA-Z]+\}$/.test(placeholder))).toEqual([]);
});

/** What every file below a folder holds, but for the table itself. */
function sources(folder: string): string[] {
  const root = new URL(`${folder}/`, import.meta.url);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.ts') && name !== 'errors.ts');
  return files.map((name) => readFileSync(new URL(name, root), 'utf8'));
}
