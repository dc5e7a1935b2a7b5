import { type ErrorCode, LinesideError } from '../errors.ts';
import type { Store } from './store.ts';

interface SqliteError extends Error {
  readonly code: string;
}

const namedAs: Readonly<Record<string, (errors: Store['errors']) => ErrorCode>> = {
  SQLITE_BUSY: (errors) => errors.busy,
  SQLITE_LOCKED: (errors) => errors.busy,
  SQLITE_FULL: (errors) => errors.full,
  SQLITE_READONLY: () => 'directory-unwritable',
  SQLITE_CANTOPEN: () => 'directory-unwritable',
  SQLITE_PERM: () => 'directory-unwritable',
  SQLITE_NOTADB: (errors) => errors.damaged,
  SQLITE_CORRUPT: (errors) => errors.damaged,
  SQLITE_FORMAT: (errors) => errors.damaged,
  SQLITE_CONSTRAINT: () => 'internal',
  SQLITE_ERROR: () => 'internal',
  SQLITE_MISUSE: () => 'internal',
};

/** The error as an operator meets it; an error that is not SQLite's passes through. */
export function namedError({ errors }: Store, path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const code = namedAs[error.code]?.(errors) ?? errors.io;
  return new LinesideError(code, { path, reason: error.message }, { cause: error });
}

/** The word a rule of the schema raised (`RAISE(ABORT, 'id-in-use')`), if that is what the error is. */
export function brokenRule(error: unknown): string | undefined {
  if (!isSqliteError(error) || error.code !== 'SQLITE_CONSTRAINT') return undefined;
  return error.message.replace(/^SQLITE_CONSTRAINT: /, '');
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_');
}
