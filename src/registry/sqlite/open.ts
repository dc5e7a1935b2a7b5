import { constants } from 'node:fs';
import { access, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../durable.ts';
import { LinesideError } from '../../errors.ts';
import { Connection } from './connection.ts';
import { bringUpToDate, migrate, mustBeRegistry } from './migrate.ts';
import { lock, makeDurable } from './pragmas.ts';
import { namedError } from './sqlite-error.ts';
import { openStatements, type Statements } from './statements.ts';

/** Makes the file, readable by its owner alone, and the schema in it; a failure leaves no file behind. */
export async function createConnection(path: string): Promise<Connection> {
  await onFile(path, () => createFile(path));
  try {
    await onFile(path, () => syncDirectory(dirname(path)));
    return await connect(path, async (sql) => {
      await makeDurable(sql);
      await migrate(sql.database);
    });
  } catch (error) {
    for (const file of [path, `${path}-wal`]) await rm(file, { force: true });
    throw error;
  }
}

export async function openConnection(path: string): Promise<Connection> {
  await onFile(path, () => mustBeWritable(path));
  return connect(path, async (sql) => {
    await lock(sql);
    await mustBeRegistry(sql, path);
    await makeDurable(sql);
    await mustBeSound(sql, path);
    await bringUpToDate(sql, path);
  });
}

async function connect(path: string, prepare: (sql: Statements) => Promise<void>): Promise<Connection> {
  const sql = await openStatements(path).catch((error: unknown) => {
    throw namedError(path, error);
  });
  try {
    await prepare(sql);
    return new Connection(path, sql);
  } catch (error) {
    await sql.close();
    throw namedError(path, error);
  }
}

/** Finds what a failing disk or a copy made by hand did to the pages; about a second for a million rows. */
async function mustBeSound(sql: Statements, path: string): Promise<void> {
  const [finding] = await sql.all<{ quick_check: string }>('PRAGMA quick_check(1)');
  if (finding?.quick_check !== 'ok')
    throw new LinesideError('registry-damaged', { path, reason: String(finding?.quick_check) });
}

async function createFile(path: string): Promise<void> {
  await (await open(path, 'wx', 0o600)).close();
}

/** Asked before SQLite does, which would open a file it may not write as read-only and say nothing. */
async function mustBeWritable(path: string): Promise<void> {
  await access(path, constants.R_OK | constants.W_OK);
  await access(dirname(path), constants.W_OK | constants.X_OK);
}

async function onFile(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw fileError(path, cause);
  }
}

function fileError(path: string, cause: unknown): LinesideError {
  const { code = 'unknown', syscall } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' && syscall === 'access')
    return new LinesideError('registry-missing', { path }, { cause });
  if (code === 'EEXIST') return new LinesideError('station-exists', { path: dirname(path) }, { cause });
  if (code === 'ENOSPC') return new LinesideError('registry-full', {}, { cause });
  if (code === 'EIO') return new LinesideError('registry-io', { reason: code }, { cause });
  return new LinesideError('directory-unwritable', { path: dirname(path), reason: code }, { cause });
}
