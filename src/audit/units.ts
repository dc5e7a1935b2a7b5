import { verifyCsrElsewhere } from '../csr/verify.ts';
import { type DeviceId, inDoubtStates } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { inOrder } from '../in-order.ts';
import { unitFacts } from '../registry/facts.ts';
import type { CertificateRow, Evidence, LeaseRow } from '../registry/sqlite/evidence.ts';
import { toUnitRecord, type UnitRow } from '../registry/sqlite/unit-rows.ts';
import type { Units } from '../log/history/units.ts';
import { differingField } from '../row-findings.ts';
import type { BatchFacts } from './batches.ts';
import { auditCertificates, missingCertificates } from './certificates.ts';
import { type Finding, found } from './finding.ts';
import type { KeyAudit } from './keys.ts';
import { isLeased } from './leases.ts';
import type { LogFacts } from './log-facts.ts';

/** What each unit is held to. */
export interface Known {
  /** What the log tells of the units; undefined if it could not be read to its end. */
  readonly told: Units | undefined;
  readonly log: LogFacts;
  readonly batches: BatchFacts;
  readonly leases: readonly LeaseRow[];
  readonly keys: KeyAudit;
}

/** Every unit by itself, its signatures verified on every core; `seen` is told of each page. */
export async function* auditUnits(
  evidence: Evidence,
  known: Known,
  seen: (units: readonly UnitRow[], certificates: readonly CertificateRow[]) => void,
): AsyncGenerator<Finding> {
  for await (const { units, certificates } of evidence.units()) {
    const judge = (row: UnitRow) =>
      auditUnit(
        row,
        certificates.filter(({ unit }) => unit === row.id),
        known,
      );
    for await (const outcome of inOrder(units, judge)) {
      if (outcome.status === 'rejected') throw outcome.reason;
      yield* outcome.value;
    }
    seen(units, certificates);
  }
  if (known.told) yield* missingUnits(evidence, known.told);
  yield* missingCertificates(known.log);
}

/** What the log tells of and the registry does not have. */
async function* missingUnits(evidence: Evidence, told: Units): AsyncGenerator<Finding> {
  if ((await evidence.countUnits()) === told.size) return; // one too many is named by itself
  for (const { id } of told.inOrder())
    if (!(await evidence.has(id))) yield found('row-missing', { kind: 'unit', id }, { id });
}

async function auditUnit(
  row: UnitRow,
  certificates: readonly CertificateRow[],
  known: Known,
): Promise<Finding[]> {
  const { id } = toUnitRecord(row);
  const request = await verifiedRequest(row, id);
  return [
    ...(known.told ? byLog(row, known.told) : []),
    ...request.findings,
    ...place(row, id, known.leases),
    ...known.keys.see(row, request.publicKey, certificates),
    ...(await auditCertificates(row, certificates, known.log, known.batches)),
  ];
}

function byLog(row: UnitRow, units: Units): Finding[] {
  const facts = unitFacts(toUnitRecord(row));
  const { id } = facts;
  const told = units.find(id);
  const subject = { kind: 'unit', id } as const;
  if (told === undefined) return [found('row-unlogged', subject, { id })];
  const field = differingField(facts, told);
  if (field === undefined) return [];
  const sides = { found: String(facts[field]), told: String(told[field]) };
  return [found('row-differs', subject, { id, field, ...sides })];
}

interface Request {
  readonly findings: readonly Finding[];
  /** 04‖X‖Y, if the request holds. */
  readonly publicKey: Uint8Array | undefined;
}

async function verifiedRequest({ csr, spki }: UnitRow, id: DeviceId): Promise<Request> {
  const subject = { kind: 'unit', id } as const;
  if (csr === null) return { findings: [], publicKey: undefined };
  try {
    const request = await verifyCsrElsewhere(csr);
    const foreign = [
      ...(request.id === id ? [] : [`device ${request.id}`]),
      ...(request.spkiSha256 === spki ? [] : ['another key']),
    ];
    const findings = foreign.map((what) => found('request-foreign', subject, { id, what }));
    return { findings, publicKey: request.publicKey };
  } catch (error) {
    if (!(error instanceof LinesideError)) throw error;
    const findings = [found('request-bad', subject, { id, rule: String(error.facts['rule']) })];
    return { findings, publicKey: undefined };
  }
}

/** Whether an id was the station's to give, and whether anybody knows what became of its board. */
function* place(row: UnitRow, id: DeviceId, leases: readonly LeaseRow[]): Generator<Finding> {
  const subject = { kind: 'unit', id } as const;
  if (!isLeased(row.id, leases)) yield found('id-unleased', subject, { id });
  if (inDoubtStates.includes(row.state))
    yield found('unit-in-doubt', subject, { id, state: row.state, since: row.changed_at });
}
