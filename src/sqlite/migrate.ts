import type { Knex } from 'knex';
import type sqlite3 from 'sqlite3';
import { LinesideError } from '../errors.ts';
import type { Statements } from './statements.ts';
import type { Migration, Store } from './store.ts';

/** In the code and not in a folder, so that it works from dist/ and a stray file is never run. */
function migrationSource({ kind, migrations }: Store): Knex.MigrationSource<Migration> {
  return {
    getMigrations: async () => [...migrations],
    getMigrationName: (migration) => migration.name,
    getMigration: async ({ statements }) => ({
      async up(knex) {
        for (const statement of statements) await knex.raw(statement);
      },
      async down() {
        throw new Error(`a ${kind} never goes back to an older version`);
      },
    }),
  };
}

/** knex writes to the terminal what it also throws. */
const silent: Knex.Logger = { warn() {}, error() {}, deprecate() {}, debug() {} };

/**
 * Brings the schema up to this code's. All of it is one transaction on the connection that already holds the
 * lock: if power fails here, the database is as it was.
 */
export async function migrate(store: Store, database: sqlite3.Database): Promise<void> {
  const { default: knex } = await import('knex');
  const builder = knex({ client: 'sqlite3', useNullAsDefault: true, log: silent });
  await builder.transaction(
    async (transaction) => {
      await transaction.migrate.latest({ migrationSource: migrationSource(store) });
      await transaction.raw(`PRAGMA application_id = ${store.applicationId}`);
      await transaction.raw(`PRAGMA user_version = ${store.migrations.length}`);
    },
    { connection: database },
  );
}

/**
 * Asked before any setting is made: setting WAL mode would already change the file of another program.
 * @throws LinesideError `registry-damaged`, `ledger-damaged`
 */
export async function mustBeOurs(
  { kind, errors, applicationId }: Store,
  sql: Statements,
  path: string,
): Promise<void> {
  const [header] = await sql.all<{ application_id: number }>('PRAGMA application_id');
  if (header?.application_id !== applicationId)
    throw new LinesideError(errors.damaged, { path, reason: `it is not a lineside ${kind}` });
}

/**
 * Migrates a database of an older version; a current one costs two reads and not the import of knex.
 * @throws LinesideError `registry-damaged`, `registry-newer`, or those of the ledger
 */
export async function bringUpToDate(store: Store, sql: Statements, path: string): Promise<void> {
  const { errors, migrations } = store;
  const done = await sql.all<{ name: string }>('SELECT name FROM knex_migrations ORDER BY id');
  const unknown = done.find(({ name }) => !migrations.some((migration) => migration.name === name));
  if (unknown !== undefined) throw new LinesideError(errors.newer, { path, migration: unknown.name });
  const [header] = await sql.all<{ user_version: number }>('PRAGMA user_version');
  if (header?.user_version !== done.length)
    throw new LinesideError(errors.damaged, {
      path,
      reason: 'its version is not that of its migrations',
    });
  if (done.length < migrations.length) await migrate(store, sql.database);
}
