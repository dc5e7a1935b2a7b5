import type sqlite3 from 'sqlite3';

export type SqlValue = string | number | Uint8Array | null;

/**
 * SQL on one open SQLite file, each statement prepared once. Errors are the driver's own, as
 * `sqlite-error.ts` reads them.
 */
export class Statements {
  readonly database: sqlite3.Database;
  readonly #prepared = new Map<string, sqlite3.Statement>();

  constructor(database: sqlite3.Database) {
    this.database = database;
  }

  /** @returns how many rows changed */
  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    const statement = await this.#prepare(sql);
    return new Promise((resolve, reject) => {
      statement.run(bound(values), function (error) {
        if (error) reject(error);
        else resolve(this.changes);
      });
    });
  }

  async all<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row[]> {
    const statement = await this.#prepare(sql);
    return new Promise((resolve, reject) => {
      statement.all<Row>(bound(values), (error, rows) => (error ? reject(error) : resolve(rows)));
    });
  }

  /** Several statements that return nothing, separated by semicolons. */
  script(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.database.exec(sql, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    for (const statement of this.#prepared.values()) statement.finalize();
    await new Promise<void>((resolve, reject) => {
      this.database.close((error) => (error ? reject(error) : resolve()));
    });
  }

  async #prepare(sql: string): Promise<sqlite3.Statement> {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = await new Promise<sqlite3.Statement>((resolve, reject) => {
      const made = this.database.prepare(sql, (error) => (error ? reject(error) : resolve(made)));
    });
    this.#prepared.set(sql, statement);
    return statement;
  }
}

/** Opens a file that is there; SQLite is never left to create one. */
export async function openStatements(
  path: string,
  purpose: 'to-write' | 'to-read' = 'to-write',
): Promise<Statements> {
  const { default: driver } = await import('sqlite3');
  return new Promise((resolve, reject) => {
    const access = purpose === 'to-write' ? driver.OPEN_READWRITE : driver.OPEN_READONLY;
    const flags = access | driver.OPEN_FULLMUTEX;
    const database = new driver.Database(path, flags, (error) =>
      error ? reject(error) : resolve(new Statements(database)),
    );
  });
}

function bound(values: readonly SqlValue[]): (string | number | Buffer | null)[] {
  return values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value));
}
