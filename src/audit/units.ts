import { verifyCsr } from '../csr/verify.ts';
import { deviceIdFromNumber, inDoubtStates } from '../device.ts';
import { LinesideError } from '../errors.ts';
import type { LeaseRow } from '../registry/sqlite/evidence.ts';
import type { UnitRow } from '../registry/sqlite/unit-rows.ts';
import { type Finding, found } from './finding.ts';
import { isLeased } from './leases.ts';

/** The public key of a request that holds, 04‖X‖Y; undefined and findings for one that does not. */
export function* auditRequest(unit: UnitRow): Generator<Finding, Uint8Array | undefined> {
  if (unit.csr === null) return undefined;
  const id = deviceIdFromNumber(unit.id);
  const subject = { kind: 'unit', id } as const;
  try {
    const csr = verifyCsr(unit.csr);
    if (csr.id !== id) yield found('request-foreign', subject, { id, what: `device ${csr.id}` });
    if (csr.spkiSha256 !== unit.spki) yield found('request-foreign', subject, { id, what: 'another key' });
    return csr.publicKey;
  } catch (error) {
    if (!(error instanceof LinesideError)) throw error;
    yield found('request-bad', subject, { id, rule: String(error.facts['rule']) });
    return undefined;
  }
}

/** Whether an id was the station's to give, and whether anybody knows what became of its board. */
export function* auditPlace(unit: UnitRow, leases: readonly LeaseRow[]): Generator<Finding> {
  const id = deviceIdFromNumber(unit.id);
  const subject = { kind: 'unit', id } as const;
  if (!isLeased(unit.id, leases)) yield found('id-unleased', subject, { id });
  if (inDoubtStates.includes(unit.state))
    yield found('unit-in-doubt', subject, { id, state: unit.state, since: unit.changed_at });
}

