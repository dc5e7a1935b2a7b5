import type { AuthorityProgram } from '../src/authority-process.ts';
import type { ExitCode } from '../src/errors.ts';
import type { UnitProgram } from '../src/unit/unit-process.ts';
import type { Ui } from './ui.ts';

/** What a command gets of the world outside. */
export interface Session {
  /** The station directory asked for. */
  readonly station: string;
  readonly ui: Ui;
  /** Aborted when the operator wants to stop. */
  readonly interrupted: AbortSignal;
  /** This program, to be run anew. */
  readonly program: { readonly node: string; readonly entry: string };
  readonly unitProgram: UnitProgram;
  readonly authorityProgram: AuthorityProgram;
  exit(code: ExitCode): void;
}
