import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { printable } from '../../src/printable.ts';
import { csv } from '../../src/report/csv.ts';
import { jsonLines } from '../../src/report/json-lines.ts';
import { junit } from '../../src/report/junit.ts';
import { foreign, hostile } from './hostile.ts';
import { reportOf, textOf } from './made-up.ts';

/*
 * What other programs make of the exports: Python reads CSV and XML, by libraries that are none of ours.
 */

const texts = [...Object.values(hostile), ...Object.values(foreign)];
const names = [...Object.keys(hostile), ...Object.keys(foreign)];
const report = reportOf(texts);

function python<Result>(script: string, input: string): Result {
  return JSON.parse(execFileSync('python3', ['-c', script], { input, encoding: 'utf8' })) as Result;
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
  const [head = [], ...rows] = python<string[][]>(readCsv(','), text);
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
      const fields = python<string[][]>(readCsv(delimiter), text).flat();
      expect(fields.filter((field) => /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(field))).toEqual([]);
      const bare = text.replaceAll("'", '');
      const control = python<string[][]>(readCsv(delimiter), bare).flat();
      expect(control.filter((field) => /^\s*[=+\-@]/.test(field)).length).toBeGreaterThan(1);
    },
  );

  test('guards the names of probes too', async () => {
    const [, row] = python<string[][]>(readCsv(','), await textOf(csv(reportOf(['x'], '=1+1'))));
    expect(row?.[3]).toBe("'=1+1");
  });
});

describe('JSON Lines', async () => {
  const text = await textOf(jsonLines(report));
  const lines = text.trimEnd().split('\n');
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const units = told.filter(({ type }) => type === 'unit');

  test('has one record a line, each with a type, the report first', () => {
    expect(told.map(({ type }) => type)).toEqual([
      'report',
      ...texts.map(() => 'event'),
      ...texts.map(() => 'unit'),
    ]);
  });

  test.each(names.map((name, at) => [name, at]))('gives back exactly what was said: %s', (_, at) => {
    expect(units[at]).toMatchObject({ reason: texts[at], leaves: [{}, {}, {}, { reason: texts[at] }] });
  });

  test('counts as the page does', () => {
    const causes = expect.arrayContaining([expect.objectContaining({ units: 1 })]);
    expect(told[0]).toMatchObject({ good: 0, void: texts.length, inDoubt: 0, yield: 0, causes });
  });
});

describe('JUnit', async () => {
  type Node = [tag: string, attributes: Record<string, string>, children: Node[]];
  const [, counts, [suite]] = python<Node>(readXml, await textOf(junit(report)));
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
    const [, , [few]] = python<Node>(readXml, await textOf(junit({ ...report, units: [open, good] })));
    expect(few?.[1]).toMatchObject({ tests: '2', failures: '0', errors: '1', time: '5.000' });
    expect(few?.[2].slice(1)).toMatchObject([
      ['testcase', { time: '0.000', classname: 'st07.a' }, [['error', { type: 'flashing' }, []]]],
      ['testcase', { time: '5.000' }, []],
    ]);
  });
});

test.each([
  ['CSV', csv],
  ['JSON Lines', jsonLines],
  ['JUnit', junit],
] as const)(
  '%s has no control, format or unassigned character but the ends of its lines',
  async (_, form) => {
    const text = await textOf(form(report));
    expect(text.replaceAll(/\r?\n/g, '').match(/[\p{C}\p{Zl}\p{Zp}]/gu)).toBeNull();
  },
);
