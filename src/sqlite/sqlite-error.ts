import { type ErrorCode, LinesideError } from '../errors.ts';
import type { Store } from './store.ts';

interface SqliteError extends Error {
  readonly code: string;
}

const namedAs: Readonly<Record<string, (kind: Store['kind']) => ErrorCode>> = {
  SQLITE_BUSY: (kind) => `${kind}-busy`,
  SQLITE_LOCKED: (kind) => `${kind}-busy`,
  SQLITE_FULL: (kind) => `${kind}-full`,
  SQLITE_READONLY: () => 'directory-unwritable',
  SQLITE_CANTOPEN: () => 'directory-unwritable',
  SQLITE_PERM: () => 'directory-unwritable',
  SQLITE_NOTADB: (kind) => `${kind}-damaged`,
  SQLITE_CORRUPT: (kind) => `${kind}-damaged`,
  SQLITE_FORMAT: (kind) => `${kind}-damaged`,
  SQLITE_CONSTRAINT: () => 'internal',
  SQLITE_ERROR: () => 'internal',
  SQLITE_MISUSE: () => 'internal',
};

/** The error as an operator meets it; an error that is not SQLite's passes through. */
export function namedError({ kind }: Store, path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const code = namedAs[error.code]?.(kind) ?? `${kind}-io`;
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
