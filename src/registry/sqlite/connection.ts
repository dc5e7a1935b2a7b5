import { type ErrorCode, LinesideError } from '../../errors.ts';
import { namedError } from './sqlite-error.ts';
import type { SqlValue, Statements } from './statements.ts';

/**
 * After one of these what is on the disk is not known: a later fsync may succeed without having written what an
 * earlier one failed to write. Only opening the registry again, which reads the disk, tells.
 */
const stopping: readonly ErrorCode[] = [
  'registry-io',
  'registry-full',
  'registry-damaged',
  'directory-unwritable',
];

/**
 * The one connection to a registry. What several callers ask for is done in the order asked, one after the other,
 * so that none reads or writes inside the transaction of another. Throws LinesideErrors.
 */
export class Connection {
  readonly #path: string;
  readonly #sql: Statements;
  #last: Promise<unknown> = Promise.resolve();
  #stopped: LinesideError | undefined;

  constructor(path: string, sql: Statements) {
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

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      this.#stopped = new LinesideError('internal', { reason: 'the registry is closed' });
    }).catch(() => undefined);
    await this.#sql.close();
  }

  /** SQLite has already rolled back after some errors and then knows no transaction; any error stops all. */
  async #rollBack(): Promise<void> {
    try {
      await this.#sql.run('ROLLBACK');
    } catch (cause) {
      this.#stopped = new LinesideError('registry-io', { reason: 'a change could not be undone' }, { cause });
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
      const named = namedError(this.#path, error);
      if (named instanceof LinesideError && stopping.includes(named.code)) this.#stopped = named;
      throw named;
    }
  }
}
