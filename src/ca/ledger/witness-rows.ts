import type { Statements } from '../../sqlite/statements.ts';

/** What a batch of requests showed of the log of its station. */
export interface WitnessRow {
  readonly epoch: number;
  readonly size: number;
  readonly root: string;
}

export async function lastWitnessed(sql: Statements, station: string): Promise<WitnessRow | undefined> {
  const select = 'SELECT epoch, size, root FROM witness WHERE station = ? ORDER BY sequence DESC LIMIT 1';
  const [row] = await sql.all<WitnessRow>(select, station);
  return row;
}

/** With the batch of this number. */
export async function insertWitness(
  sql: Statements,
  station: string,
  sequence: number,
  { epoch, size, root }: WitnessRow,
): Promise<void> {
  const insert = 'INSERT INTO witness (station, sequence, epoch, size, root) VALUES (?, ?, ?, ?, ?)';
  await sql.run(insert, station, sequence, epoch, size, root);
}
