import { printable } from '../printable.ts';
import { tallyOf } from './production.ts';
import type { Report } from './report.ts';
import type { Unit } from './unit.ts';

/** JUnit XML, as test systems read it: a unit is a test case, a void one has failed, one in doubt is an error. */
export function* junit({ station, chip, version, madeAt, units }: Report): Generator<string> {
  const { void: failures, inDoubt } = tallyOf(units);
  const time = units.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0).toFixed(3);
  const timestamp = (units[0]?.reservedAt ?? madeAt.toISOString()).slice(0, 19);
  const counts = attributes({ tests: units.length, failures, errors: inDoubt, time });
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="lineside"${counts}>\n`;
  yield ` <testsuite${attributes({ name: station, hostname: station, timestamp })}${counts} skipped="0">\n`;
  yield `  <properties>${property('chip', chip)}${property('lineside', version)}</properties>\n`;
  for (const unit of units) yield testCase(station, unit);
  yield ' </testsuite>\n</testsuites>\n';
}

function testCase(station: string, unit: Unit): string {
  const { id, probe, seconds, outcome, state, reason, reservedAt } = unit;
  const classname = probe === null ? station : `${station}.${probe}`;
  const open = `  <testcase${attributes({ classname, name: id, time: (seconds ?? 0).toFixed(3) })}`;
  if (outcome === 'good') return `${open}/>\n`;
  const [kind, message] =
    outcome === 'void' ? ['failure', reason ?? ''] : ['error', `in doubt: ${state} since ${reservedAt}`];
  return `${open}><${kind}${attributes({ message, type: state })}/></testcase>\n`;
}

function property(name: string, value: string): string {
  return `<property${attributes({ name, value })}/>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

/** XML 1.0 has no way to say a control character: `printable` spells it out. */
function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
