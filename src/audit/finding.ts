/**
 * How bad it is. `tamper`: what is on record was changed by somebody other than lineside. `violation`: a rule is
 * broken, though what is on record fits together. `doubt`: it cannot be told, or a unit is in doubt. `notice`: worth
 * knowing, and nothing is wrong.
 */
export type Severity = 'tamper' | 'violation' | 'doubt' | 'notice';

/** What a finding is about. */
export type Subject =
  | { readonly kind: 'unit'; readonly id: string }
  | { readonly kind: 'leaf'; readonly n: number }
  | { readonly kind: 'batch'; readonly direction: 'out' | 'in'; readonly sequence: number }
  | { readonly kind: 'lease'; readonly range: string }
  /** Path below the station's directory. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'station' };

/** One thing that the audit has to say. Both sentences are printable as they are. */
export interface Finding {
  /** Stable, for scripts: `row-differs`, `certificate-unasked`. */
  readonly code: string;
  readonly severity: Severity;
  readonly subject: Subject;
  /** What is wrong, one line, lower case, no full stop. */
  readonly words: string;
  /** What to do about it, the same way; empty for a notice that asks for nothing. */
  readonly advice: string;
}
