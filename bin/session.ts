import type { ExitCode } from '../src/errors.ts';
import type { Ui } from './ui.ts';

/** What a command gets of the world outside. */
export interface Session {
  /** The station directory asked for. */
  readonly station: string;
  readonly ui: Ui;
  /** Aborted when the operator wants to stop. */
  readonly interrupted: AbortSignal;
  /** The node binary this runs on. */
  readonly execPath: string;
  /** This program's own file. */
  readonly program: string;
  exit(code: ExitCode): void;
}
