import { createHash } from 'node:crypto';
import { verifyCertificate } from '../certificate.ts';
import { deviceIdFromNumber } from '../device.ts';
import { LinesideError } from '../errors.ts';
import type { CertificateRow } from '../registry/sqlite/evidence.ts';
import type { UnitRow } from '../registry/sqlite/unit-rows.ts';
import type { BatchFacts } from './batches.ts';
import { type Finding, type FindingCode, found } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

/**
 * All certificates of a unit, by generation: each by the log, by the batch it came in, by the request it answers, and by
 * the chain it came with.
 */
export async function auditCertificates(
  unit: UnitRow,
  certificates: readonly CertificateRow[],
  log: LogFacts,
  batches: BatchFacts,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let before = 0;
  for (const certificate of certificates) {
    findings.push(...byLog(certificate, log), ...byBatch(unit, certificate, batches));
    findings.push(...(await byRequest(unit, certificate, batches)));
    if (certificate.batch <= before) findings.push(about(certificate, 'certificate-order'));
    before = certificate.batch;
  }
  return findings;
}

function* byLog(certificate: CertificateRow, log: LogFacts): Generator<Finding> {
  const { unit, generation, batch, der } = certificate;
  const logged = log.takeCertificate(deviceIdFromNumber(unit), generation);
  const differs = (what: string) => about(certificate, 'certificate-differs', { what, source: 'log' });
  if (logged === undefined) return yield about(certificate, 'certificate-unlogged');
  if (logged.batch !== batch) yield differs('batch');
  if (logged.sha256 !== createHash('sha256').update(der).digest('hex')) yield differs('hash');
}

/** A certificate answers a request that went out, in the batch that brought it. */
function* byBatch(unit: UnitRow, certificate: CertificateRow, batches: BatchFacts): Generator<Finding> {
  const unasked = (why: string) => about(certificate, 'certificate-unasked', { why });
  const came = batches.incoming.get(certificate.batch);
  if (unit.csr === null || unit.batch === null) return yield unasked('its request never went to a CA');
  if (came === undefined) return yield unasked('it is of a batch that never came');
  const sent = batches.outgoing.get(unit.batch);
  if (came.answers !== null && came.answers !== sent)
    yield unasked('it answers a batch that the unit was not in');
  if (came.generation !== certificate.generation)
    yield about(certificate, 'certificate-differs', { what: 'generation', source: 'batch' });
}

async function byRequest(
  { csr }: UnitRow,
  certificate: CertificateRow,
  { incoming }: BatchFacts,
): Promise<Finding[]> {
  const chain = incoming.get(certificate.batch)?.chain;
  if (csr === null || chain === undefined) return []; // said of it already
  try {
    if ((await verifyCertificate(certificate.der, csr, chain)) === certificate.serial) return [];
    return [about(certificate, 'certificate-differs', { what: 'serial number', source: 'certificate' })];
  } catch (error) {
    if (!(error instanceof LinesideError)) throw error;
    return [about(certificate, 'certificate-bad', { rule: String(error.facts['rule']) })];
  }
}

/** What the log knows and the registry does not have; asked for when all others have been audited. */
export function* missingCertificates(log: LogFacts): Generator<Finding> {
  for (const { id, generation } of log.certificates())
    yield found('certificate-missing', { kind: 'unit', id }, { id, generation });
}

function about(
  { unit, generation }: CertificateRow,
  code: FindingCode,
  facts: Readonly<Record<string, string>> = {},
): Finding {
  const id = deviceIdFromNumber(unit);
  return found(code, { kind: 'unit', id }, { id, generation, ...facts });
}
