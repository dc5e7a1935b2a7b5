import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { printable } from '../../src/printable.ts';
import { csv } from '../../src/report/csv.ts';
import { jsonLines } from '../../src/report/json-lines.ts';
import { junit } from '../../src/report/junit.ts';
import { foreign, hostile } from './hostile.ts';
import { audited, reportOf, textOf } from './made-up.ts';

/*
 * What other programs make of the exports: Python reads CSV and XML, by libraries that are none of ours.
 */

const texts = [...Object.values(hostile), ...Object.values(foreign)];
const names = [...Object.keys(hostile), ...Object.keys(foreign)];
const report = reportOf(texts);

function python(script: string, input: string): unknown {
  return JSON.parse(execFileSync('python3', ['-c', script], { input, encoding: 'utf8' }));
}

const readCsv = (delimiter: string) => `
import csv, io, json, sys
text = sys.stdin.buffer.read().decode('utf-8')
print(json.dumps(list(csv.reader(io.StringIO(text, newline=''), delimiter='${delimiter}', strict=${delimiter === ',' ? 'True' : 'False'}))))`;

const readXml = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
tell = lambda node: [node.tag, node.attrib, [tell(child) for child in node]]
print(json.dumps(tell(root)))`;

describe('CSV', async () => {
  const text = await textOf(csv(report));
  const [head = [], ...rows] = python(readCsv(','), text) as string[][];
  const reasons = rows.map((row) => row[head.indexOf('reason')] ?? '');

  test('has one line for each unit, of as many fields as the first names', () => {
    expect(text.split('\r\n')).toHaveLength(texts.length + 2);
    expect(rows.map(({ length }) => length)).toEqual(texts.map(() => head.length));
    expect(rows.map(([id]) => id)).toEqual(report.units.map(({ id }) => id));
  });

  test.each(names.map((name, at) => [name, reasons[at] ?? '', texts[at] ?? '']))(
    'says what was said, with an apostrophe before a formula: %s',
    (_, told, said) => {
      expect(told.replaceAll(/(^|;)'/g, '$1')).toBe(printable(said).replaceAll(/(^|;)'/g, '$1'));
    },
  );

  test.each([',', ';'])(
    'has no field that a spreadsheet takes for a formula if it splits at "%s"',
    (delimiter) => {
      const fields = (python(readCsv(delimiter), text) as string[][]).flat();
      expect(fields.filter((field) => /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(field))).toEqual([]);
      const bare = text.replaceAll("'", '');
      const control = (python(readCsv(delimiter), bare) as string[][]).flat();
      expect(control.filter((field) => /^\s*[=+\-@]/.test(field)).length).toBeGreaterThan(1);
    },
  );

  test('guards the names of probes too', async () => {
    const [, row] = python(readCsv(','), await textOf(csv(reportOf(['x'], '=1+1')))) as string[][];
    expect(row?.[3]).toBe("'=1+1");
  });
});

describe('JSON Lines', async () => {
  const text = await textOf(jsonLines(report, audited()));
  const lines = text.trimEnd().split('\n');
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const units = told.filter(({ type }) => type === 'unit');

  test('has one record a line, each with a type, the report first', () => {
    const [unit, entry] = ['unit', 'entry'].map((type) => texts.map(() => type));
    const entries = [entry, entry, entry, entry].flat();
    expect(told.map(({ type }) => type)).toEqual(['report', 'audit', ...(unit ?? []), ...entries]);
  });

  test.each(names.map((name, at) => [name, at]))('gives back exactly what was said: %s', (_, at) => {
    const { id } = units[at] ?? {};
    expect(units[at]).toMatchObject({ reason: texts[at] });
    const entries = told.filter((record) => record['type'] === 'entry' && record['id'] === id);
    expect(entries).toMatchObject([{}, {}, {}, { ev: 'unit.void', reason: texts[at] }]);
  });

  test('counts as the page does', () => {
    const causes = expect.arrayContaining([expect.objectContaining({ units: 1 })]);
    expect(told[0]).toMatchObject({ good: 0, void: texts.length, inDoubt: 0, yield: 0, causes });
  });
});

describe('JUnit', async () => {
  type Node = [tag: string, attributes: Record<string, string>, children: Node[]];
  const [, counts, [suite]] = python(readXml, await textOf(junit(report))) as Node;
  const cases = suite?.[2].filter(([tag]) => tag === 'testcase') ?? [];

  test('counts its cases as test systems do', () => {
    expect(counts).toMatchObject({
      tests: String(texts.length),
      failures: String(texts.length),
      errors: '0',
    });
    expect(cases.map(([, { name }]) => name)).toEqual(report.units.map(({ id }) => id));
  });

  test.each(names.map((name, at) => [name, at]))('says what was said: %s', (_, at) => {
    const failure = cases[at]?.[2][0];
    expect(failure).toEqual(['failure', { message: printable(texts[at] ?? ''), type: 'void' }, []]);
  });

  test('a unit in doubt is an error, a good one a case without a word', async () => {
    const [unit] = report.units;
    if (!unit) throw new Error('no unit');
    const open = { ...unit, outcome: 'in doubt', state: 'flashing', seconds: null } as const;
    const good = { ...unit, outcome: 'good', state: 'verified' } as const;
    const [, , [few]] = python(readXml, await textOf(junit({ ...report, units: [open, good] }))) as Node;
    expect(few?.[1]).toMatchObject({ tests: '2', failures: '0', errors: '1', time: '5.000' });
    expect(few?.[2].slice(1)).toMatchObject([
      ['testcase', { time: '0.000', classname: 'st07.a' }, [['error', { type: 'flashing' }, []]]],
      ['testcase', { time: '5.000' }, []],
    ]);
  });
});

test.each([
  ['CSV', csv],
  ['JSON Lines', (told: Report) => jsonLines(told, audited())],
  ['JUnit', junit],
] as const)(
  '%s has no control, format or unassigned character but the ends of its lines',
  async (_, form) => {
    const text = await textOf(form(report));
    expect(text.replaceAll(/\r?\n/g, '').match(/[\p{C}\p{Zl}\p{Zp}]/gu)).toBeNull();
  },
);
