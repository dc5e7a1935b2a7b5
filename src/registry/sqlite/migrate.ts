import type { Knex } from 'knex';
import type sqlite3 from 'sqlite3';
import { LinesideError } from '../../errors.ts';
import * as units from './migrations/0001-units.ts';
import * as batches from './migrations/0002-batches.ts';
import type { Statements } from './statements.ts';

interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

/** Oldest first; one that has been released never changes. */
const migrations: readonly Migration[] = [units, batches];

/** "LSRG" in the file's header, by which file(1) and other programs can know it. */
const applicationId = 0x4c535247;

/** In the code and not in a folder, so that it works from dist/ and a stray file is never run. */
const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => [...migrations],
  getMigrationName: (migration) => migration.name,
  getMigration: async ({ statements }) => ({
    async up(knex) {
      for (const statement of statements) await knex.raw(statement);
    },
    async down() {
      throw new Error('a registry never goes back to an older version');
    },
  }),
};

/** knex writes to the terminal what it also throws. */
const silent: Knex.Logger = { warn() {}, error() {}, deprecate() {}, debug() {} };

/**
 * Brings the schema up to this code's. All of it is one transaction on the connection that already holds the
 * lock: if power fails here, the registry is as it was.
 */
export async function migrate(database: sqlite3.Database): Promise<void> {
  const { default: knex } = await import('knex');
  const builder = knex({ client: 'sqlite3', useNullAsDefault: true, log: silent });
  await builder.transaction(
    async (transaction) => {
      await transaction.migrate.latest({ migrationSource });
      await transaction.raw(`PRAGMA application_id = ${applicationId}`);
      await transaction.raw(`PRAGMA user_version = ${migrations.length}`);
    },
    { connection: database },
  );
}

/**
 * Asked before any setting is made: setting WAL mode would already change the file of another program.
 * @throws LinesideError `registry-damaged`
 */
export async function mustBeRegistry(sql: Statements, path: string): Promise<void> {
  const [header] = await sql.all<{ application_id: number }>('PRAGMA application_id');
  if (header?.application_id !== applicationId)
    throw new LinesideError('registry-damaged', { path, reason: 'it is not a lineside registry' });
}

/**
 * Migrates a registry of an older version; a current one costs two reads and not the import of knex.
 * @throws LinesideError `registry-damaged`, `registry-newer`
 */
export async function bringUpToDate(sql: Statements, path: string): Promise<void> {
  const done = await sql.all<{ name: string }>('SELECT name FROM knex_migrations ORDER BY id');
  const unknown = done.find(({ name }) => !migrations.some((migration) => migration.name === name));
  if (unknown !== undefined) throw new LinesideError('registry-newer', { path, migration: unknown.name });
  const [header] = await sql.all<{ user_version: number }>('PRAGMA user_version');
  if (header?.user_version !== done.length)
    throw new LinesideError('registry-damaged', {
      path,
      reason: 'its version is not that of its migrations',
    });
  if (done.length < migrations.length) await migrate(sql.database);
}
