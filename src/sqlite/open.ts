import { constants } from 'node:fs';
import { access, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../durable.ts';
import { LinesideError, systemWords } from '../errors.ts';
import { Connection } from './connection.ts';
import { bringUpToDate, migrate, mustBeOurs } from './migrate.ts';
import { lock, makeDurable } from './pragmas.ts';
import { namedError } from './sqlite-error.ts';
import { openStatements, type Statements } from './statements.ts';
import type { Store } from './store.ts';

/** Makes the file, readable by its owner alone, and the schema in it; a failure leaves no file behind. */
export async function createConnection(store: Store, path: string): Promise<Connection> {
  await onFile(store, path, () => createFile(path));
  try {
    await onFile(store, path, () => syncDirectory(dirname(path)));
    return await connect(store, path, async (sql) => {
      await makeDurable(store, sql);
      await migrate(store, sql.database);
    });
  } catch (error) {
    for (const file of [path, `${path}-wal`]) await rm(file, { force: true });
    throw error;
  }
}

export async function openConnection(store: Store, path: string): Promise<Connection> {
  await onFile(store, path, () => mustBeWritable(path));
  return connect(store, path, async (sql) => {
    await lock(sql);
    await mustBeOurs(store, sql, path);
    await makeDurable(store, sql);
    await mustBeSound(store, sql, path);
    await bringUpToDate(store, sql, path);
  });
}

/** For an audit: as `openConnection`, but whether the pages are sound is for the audit to find out and to say. */
export async function openForAudit(store: Store, path: string): Promise<Connection> {
  await onFile(store, path, () => mustBeWritable(path));
  return connect(store, path, async (sql) => {
    await lock(sql);
    await mustBeOurs(store, sql, path);
    await makeDurable(store, sql);
    await bringUpToDate(store, sql, path);
    await sql.script('PRAGMA temp_store = MEMORY'); // a sort without its index leaves no file
  });
}

/**
 * Reads every page and index of a database that nobody uses, and changes nothing.
 * @throws LinesideError `backup-damaged`
 */
export async function mustBeWhole(store: Store, path: string): Promise<void> {
  const damaged = (reason: string, cause?: unknown) =>
    new LinesideError('backup-damaged', { path, reason }, { cause });
  try {
    const sql = await openStatements(path, 'to-read');
    try {
      await mustBeOurs(store, sql, path);
      const [finding] = await sql.all<{ integrity_check: string }>('PRAGMA integrity_check(1)');
      if (finding?.integrity_check !== 'ok') throw damaged(String(finding?.integrity_check));
    } finally {
      await sql.close();
    }
  } catch (cause) {
    if (cause instanceof LinesideError && cause.code === 'backup-damaged') throw cause;
    throw damaged(String(cause instanceof LinesideError ? cause.facts['reason'] : systemWords(cause)), cause);
  }
}

async function connect(
  store: Store,
  path: string,
  prepare: (sql: Statements) => Promise<void>,
): Promise<Connection> {
  const sql = await openStatements(path).catch((error: unknown) => {
    throw namedError(store, path, error);
  });
  try {
    await prepare(sql);
    return new Connection(store, path, sql);
  } catch (error) {
    await sql.close();
    throw namedError(store, path, error);
  }
}

/** Finds what a failing disk or a copy made by hand did to the pages; about a second for a million rows. */
async function mustBeSound({ errors }: Store, sql: Statements, path: string): Promise<void> {
  const [finding] = await sql.all<{ quick_check: string }>('PRAGMA quick_check(1)');
  if (finding?.quick_check !== 'ok')
    throw new LinesideError(errors.damaged, { path, reason: String(finding?.quick_check) });
}

async function createFile(path: string): Promise<void> {
  await (await open(path, 'wx', 0o600)).close();
}

/** Asked before SQLite does, which would open a file it may not write as read-only and say nothing. */
async function mustBeWritable(path: string): Promise<void> {
  await access(path, constants.R_OK | constants.W_OK);
  await access(dirname(path), constants.W_OK | constants.X_OK);
}

async function onFile(store: Store, path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw fileError(store, path, cause);
  }
}

function fileError({ errors }: Store, path: string, cause: unknown): LinesideError {
  const { code = 'unknown', syscall } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' && syscall === 'access')
    return new LinesideError(errors.missing, { path }, { cause });
  if (code === 'EEXIST') return new LinesideError(errors.taken, { path: dirname(path) }, { cause });
  if (code === 'ENOSPC') return new LinesideError(errors.full, {}, { cause });
  if (code === 'EIO') return new LinesideError(errors.io, { reason: code }, { cause });
  return new LinesideError('directory-unwritable', { path: dirname(path), reason: code }, { cause });
}
