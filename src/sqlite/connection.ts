import { LinesideError } from '../errors.ts';
import { namedError } from './sqlite-error.ts';
import type { SqlValue, Statements } from './statements.ts';
import type { Store } from './store.ts';

/**
 * After one of these what is on the disk is not known: a later fsync may succeed without having written what an
 * earlier one failed to write. Only opening the database again, which reads the disk, tells.
 */
function stops({ errors }: Store, error: unknown): error is LinesideError {
  const stopping = [errors.io, errors.full, errors.damaged, 'directory-unwritable'];
  return error instanceof LinesideError && stopping.includes(error.code);
}

/**
 * The one connection to a database. What several callers ask for is done in the order asked, one after the other,
 * so that none reads or writes inside the transaction of another. Throws LinesideErrors.
 */
export class Connection {
  readonly #store: Store;
  readonly #path: string;
  readonly #sql: Statements;
  #last: Promise<unknown> = Promise.resolve();
  #stopped: LinesideError | undefined;

  constructor(store: Store, path: string, sql: Statements) {
    this.#store = store;
    this.#path = path;
    this.#sql = sql;
  }

  query<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row[]> {
    return this.#inTurn(() => this.#sql.all<Row>(sql, ...values));
  }

  /** Durable when it returns; when it throws, all that `work` wrote is undone. */
  transaction<T>(work: (sql: Statements) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#sql.run('BEGIN IMMEDIATE');
      try {
        const result = await work(this.#sql);
        await this.#sql.run('COMMIT');
        return result;
      } catch (error) {
        await this.#rollBack();
        throw error;
      }
    });
  }

  /**
   * Writes a copy of the database as it is now, in one piece and without its WAL, to a file that is new or empty.
   * What goes wrong with that file is no fault of this database, which goes on. @throws LinesideError `backup-failed`
   */
  copyTo(path: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#sql.run('VACUUM INTO ?', path).catch((cause: Error) => {
        throw new LinesideError('backup-failed', { path, reason: cause.message }, { cause });
      });
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      this.#stopped = new LinesideError('internal', { reason: `the ${this.#store.kind} is closed` });
    }).catch(() => undefined);
    await this.#sql.close();
  }

  /** SQLite has already rolled back after some errors and then knows no transaction; any error stops all. */
  async #rollBack(): Promise<void> {
    try {
      await this.#sql.run('ROLLBACK');
    } catch (cause) {
      const reason = 'a change could not be undone';
      this.#stopped = new LinesideError(this.#store.errors.io, { reason }, { cause });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#guarded(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) throw this.#stopped;
    try {
      return await work();
    } catch (error) {
      const named = namedError(this.#store, this.#path, error);
      if (stops(this.#store, named)) this.#stopped = named;
      throw named;
    }
  }
}
