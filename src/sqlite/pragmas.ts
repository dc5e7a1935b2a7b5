import { LinesideError } from '../errors.ts';
import type { Statements } from './statements.ts';
import type { Store } from './store.ts';

/** Made before the first read: so there is never a second connection, and a second process hears so at once. */
const locking = [
  { name: 'busy_timeout', value: 250, found: 250 },
  { name: 'locking_mode', value: 'EXCLUSIVE', found: 'exclusive' },
] as const;

/**
 * What makes a commit durable and a damaged page seen. WAL with synchronous=NORMAL loses acknowledged commits when
 * the power fails.
 */
const durability = [
  { name: 'journal_mode', value: 'WAL', found: 'wal' },
  { name: 'synchronous', value: 'FULL', found: 2 },
  { name: 'fullfsync', value: 'ON', found: 1 },
  { name: 'checkpoint_fullfsync', value: 'ON', found: 1 },
  { name: 'foreign_keys', value: 'ON', found: 1 },
  { name: 'trusted_schema', value: 'OFF', found: 0 },
  { name: 'cell_size_check', value: 'ON', found: 1 },
] as const;

const settings = [...locking, ...durability];

export async function lock(sql: Statements): Promise<void> {
  await sql.script(assignments(locking));
}

/**
 * Sets them and reads them back: SQLite does not refuse a setting it cannot make, it keeps the old one and says
 * nothing.
 * @throws LinesideError `registry-unsafe`, `ledger-unsafe`
 */
export async function makeDurable({ errors }: Store, sql: Statements): Promise<void> {
  await sql.script(assignments(settings));
  const { version, ...made } = await inForce(sql);
  mustNotResetWal(errors, String(version));
  for (const { name: setting, found: expected } of settings) {
    const found = made[setting];
    if (found !== expected)
      throw new LinesideError(errors.unsafe, { setting, found: String(found), expected });
  }
}

function assignments(pragmas: readonly { readonly name: string; readonly value: string | number }[]): string {
  return pragmas.map(({ name, value }) => `PRAGMA ${name} = ${value};`).join('');
}

/** The version of SQLite and every setting, in one query. */
async function inForce(sql: Statements): Promise<Readonly<Record<string, unknown>>> {
  const columns = settings.map(({ name }) => `(SELECT * FROM pragma_${name}) AS ${name}`);
  const [row] = await sql.all<Record<string, unknown>>(
    `SELECT sqlite_version() AS version, ${columns.join(', ')}`,
  );
  return row ?? {};
}

/**
 * SQLite 3.7.0 to 3.51.2 can lose commits when the WAL starts over (https://sqlite.org/wal.html, "the WAL-reset
 * bug"), and older ones have no WAL.
 * @throws LinesideError `registry-unsafe`, `ledger-unsafe`
 */
export function mustNotResetWal(errors: Store['errors'], version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major * 1_000_000 + minor * 1000 + patch >= 3_051_003) return;
  throw new LinesideError(errors.unsafe, {
    setting: 'the SQLite version',
    found: version,
    expected: '3.51.3 or later',
  });
}
