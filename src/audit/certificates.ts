import { createHash } from 'node:crypto';
import { type Chain, verifyCertificate, verifyChain } from '../certificate.ts';
import { deviceIdFromNumber } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { parsePem } from '../pem.ts';
import type { CertificateRow, Evidence } from '../registry/sqlite/evidence.ts';
import type { UnitRow } from '../registry/sqlite/unit-rows.ts';
import type { BatchFacts } from './batches.ts';
import { type Finding, found } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

/** Judges certificates by the request they answer, the chain they came with, the batch they came in, and the log. */
export class CertificateAudit {
  readonly #evidence: Evidence;
  readonly #log: LogFacts;
  readonly #batches: BatchFacts;
  /** Of the batches from the CA; null for one that does not hold. */
  readonly #chains = new Map<number, Chain | null>();

  constructor(evidence: Evidence, log: LogFacts, batches: BatchFacts) {
    this.#evidence = evidence;
    this.#log = log;
    this.#batches = batches;
  }

  /** All certificates of a unit, by generation. */
  async *see(unit: UnitRow, certificates: readonly CertificateRow[]): AsyncGenerator<Finding> {
    let before = 0;
    for (const certificate of certificates) {
      yield* this.#judge(unit, certificate);
      if (certificate.batch <= before) yield about(certificate, 'certificate-order');
      before = certificate.batch;
    }
  }

  /** What the log knows and the registry does not have. */
  *missing(): Generator<Finding> {
    for (const { id, generation } of this.#log.certificates())
      yield found('certificate-missing', { kind: 'unit', id }, { id, generation });
  }

  async *#judge(unit: UnitRow, certificate: CertificateRow): AsyncGenerator<Finding> {
    const { batch, generation, der } = certificate;
    const logged = this.#log.takeCertificate(deviceIdFromNumber(unit.id), generation);
    if (logged === undefined) yield about(certificate, 'certificate-unlogged');
    else {
      if (logged.batch !== batch) yield about(certificate, 'certificate-differs', { what: 'batch', source: 'log' });
      if (logged.sha256 !== createHash('sha256').update(der).digest('hex'))
        yield about(certificate, 'certificate-differs', { what: 'hash', source: 'log' });
    }
    yield* this.#asked(unit, certificate);
    const chain = yield* this.#chainOf(batch);
    if (chain && unit.csr) yield* verified(certificate, unit.csr, chain);
  }

  *#asked(unit: UnitRow, certificate: CertificateRow): Generator<Finding> {
    const unasked = (why: string) => about(certificate, 'certificate-unasked', { why });
    const came = this.#batches.incoming.get(certificate.batch);
    if (unit.csr === null || unit.batch === null) yield unasked('its request never went to a CA');
    else if (came === undefined) yield unasked('it is of a batch that never came');
    else {
      const sent = this.#batches.outgoing.get(unit.batch);
      if (came.answers !== null && came.answers !== sent) yield unasked('it answers a batch the unit was not in');
      if (came.generation !== certificate.generation)
        yield about(certificate, 'certificate-differs', { what: 'generation', source: 'batch' });
    }
  }

  async *#chainOf(sequence: number): AsyncGenerator<Finding, Chain | null> {
    const known = this.#chains.get(sequence);
    if (known !== undefined) return known;
    const file = (await this.#evidence.filesOf('in', sequence)).get('chain.pem');
    try {
      const chain = verifyChain(parsePem('CERTIFICATE', (file ?? Buffer.alloc(0)).toString('latin1')) ?? []);
      this.#chains.set(sequence, chain);
      return chain;
    } catch (error) {
      if (!(error instanceof LinesideError)) throw error;
      this.#chains.set(sequence, null);
      const rule = String(error.facts['rule']);
      yield found('chain-bad', { kind: 'batch', direction: 'in', sequence }, { sequence, rule });
      return null;
    }
  }
}

function* verified(certificate: CertificateRow, csr: Buffer, chain: Chain): Generator<Finding> {
  try {
    if (verifyCertificate(certificate.der, csr, chain) !== certificate.serial)
      yield about(certificate, 'certificate-differs', { what: 'serial number', source: 'certificate' });
  } catch (error) {
    if (!(error instanceof LinesideError)) throw error;
    yield about(certificate, 'certificate-bad', { rule: String(error.facts['rule']) });
  }
}

function about(
  { unit, generation }: CertificateRow,
  code: Parameters<typeof found>[0],
  facts: Readonly<Record<string, string>> = {},
): Finding {
  const id = deviceIdFromNumber(unit);
  return found(code, { kind: 'unit', id }, { id, generation, ...facts });
}
