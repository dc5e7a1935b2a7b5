import type { Severity } from '../audit/finding.ts';
import { tallyOf } from './production.ts';
import type { Audited, Report } from './report.ts';
import { count, counted, duration } from './words.ts';

/** One thing that somebody should look at; `section` of the page tells more. */
export interface Concern {
  readonly severity: Severity;
  readonly words: string;
  readonly section: string;
}

/** From here on it is said that the witness was not asked for long. */
const longUnseen = 7 * 86_400;

/** The worst first. */
export function concernsOf(report: Report, audited: Audited): Concern[] {
  const all = [...ofAudit(audited), ...ofWitness(report), ...ofUnits(report), ...ofLeases(report)];
  const order: readonly Severity[] = ['tamper', 'violation', 'doubt', 'notice'];
  return all.sort((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}

/** Units in doubt are said by themselves. */
function ofAudit({ findings }: Audited): Concern[] {
  const say = (severity: Severity, what: string): Concern[] => {
    const some = findings.filter(
      (finding) => finding.severity === severity && finding.code !== 'unit-in-doubt',
    );
    if (some.length === 0) return [];
    return [
      { severity, words: `the audit has ${counted(some.length, 'finding')} ${what}`, section: 'audit' },
    ];
  };
  return [
    ...say('tamper', 'of tampering'),
    ...say('violation', 'of a broken rule'),
    ...say('doubt', 'that leave a doubt'),
  ];
}

function ofWitness({ log, madeAt }: Report): Concern[] {
  const { witnessed, size } = log;
  const section = 'log';
  if (witnessed === null)
    return [
      { severity: 'doubt', words: 'no witness has seen the log: only the station vouches for it', section },
    ];
  if (!witnessed.holds)
    return [{ severity: 'tamper', words: 'the log does not begin with what the witness saw of it', section }];
  const unseen = size - witnessed.size;
  const age = (madeAt.getTime() - witnessed.time.getTime()) / 1000;
  const ago = `${duration(age)} ago`;
  if (unseen === 0) return [];
  const words = `${counted(unseen, 'entry', 'entries')} of the log came after the witness saw it, ${ago}`;
  return [{ severity: age > longUnseen ? 'doubt' : 'notice', words, section }];
}

function ofUnits({ units }: Report): Concern[] {
  const { inDoubt } = tallyOf(units);
  if (inDoubt === 0) return [];
  return [{ severity: 'doubt', words: `${counted(inDoubt, 'unit')} in doubt`, section: 'doubts' }];
}

function ofLeases({ leases }: Report): Concern[] {
  const open = leases.filter(({ closed }) => !closed);
  const [left, used] = [sum(open.map(({ left }) => left)), sum(open.map(({ used }) => used))];
  if (left > (left + used) / 10) return [];
  const words = left === 0 ? 'no id is left to give' : `only ${count(left)} ids are left to give`;
  return [{ severity: 'notice', words, section: 'ids' }];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
