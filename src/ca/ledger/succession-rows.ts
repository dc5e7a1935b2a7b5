import { LinesideError } from '../../errors.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { SqlValue, Statements } from '../../sqlite/statements.ts';

/** The CA before this one. */
export interface Succession {
  /** Its verifier key, `name+hash+key`. */
  readonly predecessor: string;
  /** Which certificates this CA's are in the life of a device. */
  readonly generation: number;
  /** DER of its trust anchor for devices, which brokers go on believing during the change-over. */
  readonly deviceAnchor: Uint8Array;
  /** DER of its trust anchor for brokers; null if devices stop believing it at once. */
  readonly brokerAnchor: Uint8Array | null;
}

/** Undefined for a CA that follows no other. */
export async function successionOf(sql: Statements): Promise<Succession | undefined> {
  const [row] = await sql.all<{
    predecessor: string;
    generation: number;
    deviceAnchor: Buffer;
    brokerAnchor: Buffer | null;
  }>(
    `SELECT predecessor, generation, device_anchor AS deviceAnchor, broker_anchor AS brokerAnchor
     FROM succession`,
  );
  if (row === undefined) return undefined;
  const brokerAnchor = row.brokerAnchor === null ? null : new Uint8Array(row.brokerAnchor);
  return { ...row, deviceAnchor: new Uint8Array(row.deviceAnchor), brokerAnchor };
}

/** Stations, leases, where the numbers of the batches stand, what was seen of the logs: what a successor takes over, as rows of its tables. */
const estate = {
  station: 'SELECT name, verifier, officer, trusted_at FROM station ORDER BY rowid',
  lease: 'SELECT station, first, last, officer, granted_at FROM lease ORDER BY place',
  inherited: `SELECT station, direction, max(sequence) AS sequence, sha256 FROM (
    SELECT station, direction, sequence, sha256 FROM batch UNION ALL
    SELECT station, direction, sequence, sha256 FROM inherited) GROUP BY station, direction`,
  witness: 'SELECT station, max(sequence) AS sequence, epoch, size, root FROM witness GROUP BY station',
} as const;
type Row = Readonly<Record<string, SqlValue>>;
export type Estate = Readonly<Record<keyof typeof estate, readonly Row[]>>;

export async function estateOf(sql: Statements): Promise<Estate> {
  return {
    station: await sql.all<Row>(estate.station),
    lease: await sql.all<Row>(estate.lease),
    inherited: await sql.all<Row>(estate.inherited),
    witness: await sql.all<Row>(estate.witness),
  };
}

/**
 * Makes this CA the successor of another, with all its stations; again the same is nothing.
 * @throws LinesideError `succession-differs` if it follows another CA, or has begun on its own
 */
export async function succeed(
  sql: Statements,
  { predecessor, generation, deviceAnchor, brokerAnchor }: Succession,
  taken: Estate,
  officer: string,
  at: Date,
): Promise<void> {
  if ((await successionOf(sql))?.predecessor === predecessor) return;
  const insert = `INSERT INTO succession (place, predecessor, generation, device_anchor, broker_anchor, officer, at)
    VALUES (1, ?, ?, ?, ?, ?, ?)`;
  try {
    await sql.run(insert, predecessor, generation, deviceAnchor, brokerAnchor, officer, at.toISOString());
  } catch (cause) {
    if (brokenRule(cause) !== 'succession-differs') throw cause;
    throw new LinesideError('succession-differs', {}, { cause });
  }
  for (const table of ['station', 'lease', 'inherited', 'witness'] as const)
    for (const row of taken[table]) {
      const columns = Object.keys(row);
      const places = columns.map(() => '?').join(', ');
      await sql.run(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`, ...Object.values(row));
    }
}
