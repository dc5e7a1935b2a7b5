import { CertificateList, recordAnswer, writeAnswer } from './answer-batch.ts';
import type { OpenAuthority } from './authority-directory.ts';
import type { AuthorityKeys } from './authority-keys.ts';
import type { Manifest } from './batch/manifest.ts';
import { placeOf } from './batch/place.ts';
import { type Batch, readBatch } from './batch/read.ts';
import { refusal } from './batch/refusal.ts';
import { answerTo, insertBatch, lastPlace, type LedgerBatch } from './ca/ledger/batch-rows.ts';
import { countDevices } from './ca/ledger/certificate-rows.ts';
import { knownStations, leasesOf } from './ca/ledger/station-rows.ts';
import { successionOf } from './ca/ledger/succession-rows.ts';
import { insertWitness, lastWitnessed } from './ca/ledger/witness-rows.ts';
import { readVerifiedCsr } from './csr/verify.ts';
import { verifyCsrs } from './csr/verify-many.ts';
import { type DeviceId, deviceIdToNumber, type Lease } from './device.ts';
import { LinesideError } from './errors.ts';
import { admit, certify, issuingWith, type Provenance } from './issue-devices.ts';
import { readVerifier } from './note.ts';
import { pemBlocks, PemError } from './pem.ts';
import type { Statements } from './sqlite/statements.ts';
import { keyName } from './verifier-file.ts';
import { cosigned, mustExtend, type Shown, type Witnessed } from './witness.ts';

/** What the officer sees before signing. Every rule holds already. */
export interface Submission {
  readonly station: string;
  readonly sequence: number;
  /** Of its manifest. */
  readonly sha256: string;
  readonly requests: number;
  readonly first: DeviceId;
  readonly last: DeviceId;
  /** Ids between first and last that are not in the batch, and were not certified before. */
  readonly absent: number;
  /** Devices that have a certificate already and get the same again. */
  readonly already: number;
  /** How far the station's log has come; null if these requests were answered before. */
  readonly log: Shown | null;
  /** How far it had come at the last batch. */
  readonly logBefore: Witnessed | undefined;
}

/** Who is asked, and told. */
export interface Officer {
  /** Shows what is to be signed and, if that is agreed, lets `sign` use the keys. */
  consent<T>(submission: Submission, sign: (keys: AuthorityKeys) => Promise<T>): Promise<T>;
  /** How many requests a step has done so far. */
  progress(step: 'checking' | 'signing', done: number): void;
}

export interface Signed {
  /** `again`: these requests were answered before, and the same answer was written. */
  readonly result: 'signed' | 'again';
  readonly station: string;
  readonly sequence: number;
  /** Of its manifest. */
  readonly sha256: string;
  readonly certificates: number;
}

/**
 * Answers a batch of requests: all of it or nothing. Everything is checked, then shown, then signed, in one
 * transaction, which is committed before the first byte goes to the stick. If power fails after that, or the stick is
 * full, the same requests again bring the very same answer.
 * @throws LinesideError `batch-…`, `request-refused`, `id-not-leased`, those of `admit`, `ledger-…`
 */
export async function signBatch(
  authority: OpenAuthority,
  path: string,
  target: string,
  by: Provenance,
  officer: Officer,
): Promise<Signed> {
  const batch = await submitted(authority, path);
  const { result, answer, signer, requests } = await authority.ledger.transaction(async (sql) => {
    const place = await placeInLedger(sql, authority, batch);
    const logBefore = await lastWitnessed(sql, batch.manifest.station);
    const log = place === 'last' ? null : mustExtend(batch.payload, batch.signer, logBefore);
    const submission = { ...(await review(sql, batch, place, officer)), log, logBefore };
    return officer.consent(submission, async (keys) => {
      const common = { signer: await keys.exchange(), requests: submission.requests };
      const known = await answerTo(sql, batch.sha256);
      if (log === null && known) return { result: 'again', answer: known, ...common } as const;
      const answer = await answerAll(sql, authority, keys, batch, submission, by, officer);
      return { result: 'signed', answer, ...common } as const;
    });
  });
  await writeAnswer(authority, answer, target, signer);
  const { station, sequence, sha256 } = answer;
  return { result, station, sequence, sha256, certificates: requests };
}

interface Requests extends Batch {
  readonly manifest: Extract<Manifest, { readonly kind: 'requests' }>;
}

/** Signed by a station that the CA knows, and by the one it says it is from. */
async function submitted({ ledger }: OpenAuthority, path: string): Promise<Requests> {
  const stations = await ledger.transaction(knownStations);
  const known = stations.map(({ verifier }) => readVerifier(verifier));
  const batch = await readBatch(path, known);
  const { manifest } = batch;
  if (manifest.kind !== 'requests') throw refusal('kind');
  if (batch.signer.name !== manifest.station) throw refusal('station');
  return { ...batch, manifest };
}

async function placeInLedger(sql: Statements, { exchange }: OpenAuthority, batch: Requests) {
  const { station } = batch.manifest;
  const before = await successionOf(sql);
  const authorities = [keyName(exchange), ...(before ? [keyName(readVerifier(before.predecessor))] : [])];
  const last = await lastPlace(sql, station, 'in');
  return placeOf(batch, { kind: 'requests', station, authorities, last });
}

/** Checks every request by itself, against the leases of its station, and against all that the ledger knows. */
async function review(
  sql: Statements,
  batch: Requests,
  place: 'next' | 'last',
  officer: Officer,
): Promise<Omit<Submission, 'log' | 'logBefore'>> {
  const { station, sequence } = batch.manifest;
  const leases = await leasesOf(sql, station);
  const ids: DeviceId[] = [];
  let already = 0;
  for (const ders of requestsIn(batch)) {
    const verified = await verifyCsrs(ders, ids.length);
    const requests = verified.map((csr, at) => ({ ...csr, der: ders[at] ?? noDevice() }));
    for (const { id } of requests) {
      mustBeLeased(id, leases, station);
      if (id < (ids.at(-1) ?? id)) throw refusal('order');
      ids.push(id);
    }
    // What was answered is answered again, also if a device was revoked since: the others wait for it.
    already += place === 'last' ? requests.length : (await admit(sql, requests)).length;
    officer.progress('checking', ids.length);
  }
  const [first = noDevice(), last = noDevice()] = [ids[0], ids.at(-1)];
  const known = await countDevices(sql, { first, last });
  const absent = deviceIdToNumber(last) - deviceIdToNumber(first) + 1 - known;
  return { station, sequence, sha256: batch.sha256, requests: ids.length, first, last, absent, already };
}

async function answerAll(
  sql: Statements,
  authority: OpenAuthority,
  keys: AuthorityKeys,
  { manifest, sha256, bytes, payload, signer }: Requests,
  { log }: Submission,
  by: Provenance,
  officer: Officer,
): Promise<LedgerBatch> {
  const { station, sequence, previous } = manifest;
  const asked = {
    station,
    direction: 'in',
    sequence,
    previous,
    sha256,
    manifest: bytes,
    answers: null,
  } as const;
  await insertBatch(sql, asked, by.officer, by.now);
  if (log) await insertWitness(sql, station, sequence, log);
  const issuing = issuingWith(await keys.authority('device'), authority.file, by.now);
  const list = new CertificateList();
  for (const ders of requestsIn({ payload })) {
    const requests = ders.map((der) => ({ ...readVerifiedCsr(der), der }));
    list.add(await certify(sql, issuing, requests, { ...by, station }));
    officer.progress('signing', list.serials.length);
  }
  const checkpoint = log && cosigned(log, signer, await keys.exchange(), by.now);
  return recordAnswer(sql, authority, { station, answers: sha256 }, list, checkpoint, by);
}

/** So many are in work at a time. */
const chunk = 1000;

function* requestsIn({ payload }: Pick<Batch, 'payload'>): Generator<readonly Uint8Array[]> {
  const pem = payload.get('requests.pem') ?? new Uint8Array();
  let some: Uint8Array[] = [];
  try {
    for (const der of pemBlocks('CERTIFICATE REQUEST', bufferOver(pem))) {
      some.push(der);
      if (some.length < chunk) continue;
      yield some;
      some = [];
    }
  } catch (cause) {
    throw cause instanceof PemError ? refusal('pem', 'requests.pem', cause) : cause;
  }
  if (some.length > 0) yield some;
}

/** The same bytes, not a copy. */
function bufferOver({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

function mustBeLeased(id: DeviceId, leases: readonly Lease[], station: string): void {
  if (leases.some(({ first, last }) => first <= id && id <= last)) return;
  throw new LinesideError('id-not-leased', { id, station });
}

function noDevice(): never {
  throw refusal('empty');
}
