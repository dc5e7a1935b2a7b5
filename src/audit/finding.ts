import { type FindingCode, findingTable } from './finding-table.ts';

export type { FindingCode };

/**
 * How bad it is. `tamper`: what is on record was changed by somebody other than lineside. `violation`: a rule is
 * broken, though what is on record fits together. `doubt`: it cannot be told. `notice`: worth knowing, and nothing is
 * wrong.
 */
export type Severity = 'tamper' | 'violation' | 'doubt' | 'notice';

/** What a finding is about. */
export type Subject =
  | { readonly kind: 'unit'; readonly id: string }
  | { readonly kind: 'leaf'; readonly n: number }
  | { readonly kind: 'batch'; readonly direction: string; readonly sequence: number }
  | { readonly kind: 'lease'; readonly range: string }
  /** Path below the station's directory. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'station' };

/** One thing that the audit has to say. */
export interface Finding {
  /** Stable, for scripts: `row-differs`, `certificate-unasked`. */
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly subject: Subject;
  /** What is wrong, one line, lower case, no full stop. May hold text from outside: not printable as it is. */
  readonly words: string;
  /** What to do about it, the same way. */
  readonly advice: string;
}

type Facts = Readonly<Record<string, string | number>>;

export function found(code: FindingCode, subject: Subject, facts: Facts = {}): Finding {
  const { severity, words, advice } = findingTable[code];
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? '?'));
  return { code, severity, subject, words: fill(words), advice: fill(advice) };
}

export const station: Subject = { kind: 'station' };
