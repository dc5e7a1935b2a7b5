import { type DeviceId, deviceIdFromNumber, deviceIdToNumber, type UnitState } from '../../device.ts';
import { LinesideError } from '../../errors.ts';
import type { BatchStep, Proof, Step, UnitRecord } from '../registry.ts';
import { brokenRule } from '../../sqlite/sqlite-error.ts';
import type { SqlValue, Statements } from '../../sqlite/statements.ts';

export interface UnitRow {
  readonly id: number;
  readonly state: UnitState;
  readonly csr: Buffer | null;
  readonly spki: string | null;
  readonly uid: string | null;
  readonly probe: string | null;
  readonly firmware: string | null;
  readonly proof: Proof | null;
  readonly locked: number;
  readonly batch: number | null;
  readonly certificate: Buffer | null;
  readonly generation: number | null;
  readonly reason: string | null;
  readonly reserved_at: string;
  readonly changed_at: string;
}

export function toUnitRecord(row: UnitRow): UnitRecord {
  return {
    id: deviceIdFromNumber(row.id),
    state: row.state,
    csr: row.csr === null ? null : new Uint8Array(row.csr),
    spkiSha256: row.spki,
    uid: row.uid,
    probe: row.probe,
    firmwareSha256: row.firmware,
    proof: row.proof,
    locked: row.locked === 1,
    batch: row.batch,
    certificate: row.certificate === null ? null : new Uint8Array(row.certificate),
    generation: row.generation,
    reason: row.reason,
    reservedAt: row.reserved_at,
    changedAt: row.changed_at,
  };
}

/** A unit with its newest certificate; what follows is the condition. */
export const selectUnit = `SELECT unit.*, (SELECT der FROM certificate WHERE certificate.unit = unit.id
  ORDER BY certificate.generation DESC LIMIT 1) AS certificate FROM unit`;

/** @throws LinesideError `id-in-use`, `id-outside-lease` */
export async function insertUnit(sql: Statements, id: DeviceId, at: string): Promise<void> {
  const insert = "INSERT INTO unit (id, state, reserved_at, changed_at) VALUES (?1, 'reserved', ?2, ?2)";
  try {
    await sql.run(insert, deviceIdToNumber(id), at);
  } catch (error) {
    const rule = brokenRule(error);
    if (rule === 'id-in-use' || rule === 'id-outside-lease')
      throw new LinesideError(rule, { id }, { cause: error });
    throw error;
  }
}

export async function isCertified(sql: Statements, id: DeviceId): Promise<boolean> {
  const select = "SELECT 1 FROM unit WHERE id = ? AND state IN ('certified', 'installed')";
  return (await sql.all(select, deviceIdToNumber(id))).length > 0;
}

const updates: Readonly<Record<(Step | BatchStep)['to'], string>> = {
  keyed: "UPDATE unit SET state = 'keyed', changed_at = ?2, csr = ?3, spki = ?4 WHERE id = ?1",
  flashing: `UPDATE unit SET state = 'flashing', changed_at = ?2, uid = ?3, probe = ?4, firmware = ?5
    WHERE id = ?1`,
  flashed: "UPDATE unit SET state = 'flashed', changed_at = ?2 WHERE id = ?1",
  verified: "UPDATE unit SET state = 'verified', changed_at = ?2, proof = ?3, locked = ?4 WHERE id = ?1",
  exported: "UPDATE unit SET state = 'exported', changed_at = ?2, batch = ?3 WHERE id = ?1",
  certified: "UPDATE unit SET state = 'certified', changed_at = ?2 WHERE id = ?1",
  installed: `UPDATE unit SET state = 'installed', changed_at = ?2, generation = ?3, locked = max(locked, ?4)
    WHERE id = ?1`,
  void: "UPDATE unit SET state = 'void', changed_at = ?2, reason = ?3 WHERE id = ?1",
};

/**
 * @returns the state the unit had
 * @throws LinesideError `unit-not-found`, `illegal-transition`, `key-in-use`, `board-in-use`
 */
export async function updateUnit(
  sql: Statements,
  id: DeviceId,
  step: Step | BatchStep,
  at: string,
): Promise<UnitState> {
  const number = deviceIdToNumber(id);
  const [unit] = await sql.all<{ state: UnitState }>('SELECT state FROM unit WHERE id = ?', number);
  if (unit === undefined) throw new LinesideError('unit-not-found', { id });
  try {
    await sql.run(updates[step.to], number, at, ...stepValues(step));
    return unit.state;
  } catch (error) {
    throw await refusedStep(sql, error, id, unit.state, step);
  }
}

function stepValues(step: Step | BatchStep): SqlValue[] {
  switch (step.to) {
    case 'keyed':
      return [step.csr, step.spkiSha256];
    case 'flashing':
      return [step.uid, step.probe, step.firmwareSha256];
    case 'flashed':
      return [];
    case 'verified':
      return [step.proof, Number(step.locked)];
    case 'exported':
      return [step.batch];
    case 'certified':
      return [];
    case 'installed':
      return [step.generation, Number(step.locked)];
    case 'void':
      return [step.reason];
  }
}

async function refusedStep(
  sql: Statements,
  error: unknown,
  id: DeviceId,
  from: UnitState,
  step: Step | BatchStep,
): Promise<unknown> {
  const rule = brokenRule(error);
  if (rule === 'illegal-transition')
    return new LinesideError(rule, { id, from, to: step.to }, { cause: error });
  if (rule === 'key-in-use') return new LinesideError(rule, { id }, { cause: error });
  if (rule === 'board-in-use' && step.to === 'flashing') return boardInUse(sql, step.uid, error);
  return error;
}

export const liveUnitByUid = `${selectUnit} WHERE uid = ? AND state <> 'void'`;

async function boardInUse(sql: Statements, uid: string, cause: unknown): Promise<LinesideError> {
  const [holder] = await sql.all<UnitRow>(liveUnitByUid, uid);
  const id = holder === undefined ? 'unknown' : deviceIdFromNumber(holder.id);
  return new LinesideError('board-in-use', { uid, id }, { cause });
}
