import type { Statements } from '../../sqlite/statements.ts';

/** The CA before this one. */
export interface Succession {
  /** Its verifier key, `name+hash+key`. */
  readonly predecessor: string;
  /** Which certificates this CA's are in the life of a device. */
  readonly generation: number;
  /** DER of its trust anchor for brokers. */
  readonly brokerAnchor: Uint8Array;
}

export async function successionOf(sql: Statements): Promise<Succession | undefined> {
  const [row] = await sql.all<{ predecessor: string; generation: number; brokerAnchor: Buffer }>(
    'SELECT predecessor, generation, broker_anchor AS brokerAnchor FROM succession',
  );
  return row && { ...row, brokerAnchor: new Uint8Array(row.brokerAnchor) };
}
