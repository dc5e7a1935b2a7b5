import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CertificateList, recordAnswer, writeAnswer } from './answer-batch.ts';
import type { AuthorityDirectory, OpenAuthority } from './authority-directory.ts';
import type { AuthorityKeys } from './authority-keys.ts';
import { lastUnasked, type LedgerBatch } from './ca/ledger/batch-rows.ts';
import { type FleetDevice, fleetOf, insertReissues } from './ca/ledger/fleet-rows.ts';
import { knownStations } from './ca/ledger/station-rows.ts';
import {
  type Estate,
  estateOf,
  succeed,
  type Succession,
  successionOf,
} from './ca/ledger/succession-rows.ts';
import { readCertificate } from './certificate-fields.ts';
import { type VerifiedCsr, readVerifiedCsr } from './csr/verify.ts';
import { verifyCsrs } from './csr/verify-many.ts';
import type { DeviceId } from './device.ts';
import { LinesideError, systemWords } from './errors.ts';
import { type Gap, writeFleet } from './fleet-batch.ts';
import { admit, certify, type Issuing, issuingWith, type Provenance } from './issue-devices.ts';
import type { ExportedUnit } from './registry-export.ts';
import type { Statements } from './sqlite/statements.ts';

/** What is to be done. */
export interface ReissueOrder {
  readonly before: OpenAuthority;
  /** What the registries say; undefined if they are not asked. */
  readonly units: ReadonlyMap<DeviceId, ExportedUnit> | undefined;
  readonly expired: 'leave-out' | 'certify';
  /** Whom devices believe to be their broker's CA from now on. */
  readonly brokerAnchors: 'both' | 'new';
}

/** What a re-issue comes to. */
export interface ReissuePlan {
  readonly devices: number;
  readonly gaps: readonly Gap[];
}

export interface ReissueOfficer {
  /** Shows the plan and, if that is agreed, lets `sign` use the keys of the new CA. */
  consent<T>(plan: ReissuePlan, sign: (keys: AuthorityKeys) => Promise<T>): Promise<T>;
  progress(step: 'checking' | 'signing', done: number): void;
}

/**
 * What a re-issue would come to. Every device that the CA before has certified is in it, as one to be certified or as
 * a gap; every request is verified anew.
 * @throws LinesideError `csr-refused`, `ledger-…`
 */
export async function planReissue(
  order: ReissueOrder,
  now: Date,
  progress: (done: number) => void,
): Promise<ReissuePlan> {
  const gaps: Gap[] = [];
  const seen = new Set<DeviceId>();
  let devices = 0;
  for await (const page of fleetOf(order.before.ledger)) {
    const live: FleetDevice[] = [];
    for (const device of page) {
      const id = idOf(device);
      seen.add(id);
      const gap = gapOf(device, order, now);
      if (gap === undefined) live.push(device);
      else gaps.push({ id, gap });
    }
    const verified = await verifyCsrs(live.map(({ request }) => request));
    live.forEach((device, at) => mustBeOf(device, mustBe(verified[at])));
    devices += live.length;
    progress(seen.size);
  }
  for (const [id, { state }] of order.units ?? [])
    if (!seen.has(id)) gaps.push({ id, gap: state === 'void' ? 'void' : 'uncertified' });
  return { devices, gaps: gaps.toSorted((one, other) => (one.id < other.id ? -1 : 1)) };
}

/**
 * Certifies a whole fleet anew under another CA, from the stored requests: no device key is touched, and the new
 * certificate of each device has the key of the old one. The new CA takes over stations, leases and the numbers of the
 * batches. All in one transaction: if power fails, nothing was done, or all of it and the same command writes it out.
 * @throws LinesideError `succession-differs`, `csr-refused`, `ledger-…`, those of writing a batch
 */
export async function reissueFleet(
  authority: OpenAuthority,
  order: ReissueOrder,
  target: string,
  by: Provenance,
  officer: ReissueOfficer,
): Promise<ReissuePlan & { readonly generation: number; readonly stations: readonly string[] }> {
  const plan = await planReissue(order, by.now, (done) => officer.progress('checking', done));
  const inheritance = await order.before.ledger.transaction(async (sql) => inheritanceOf(sql, order));
  return officer.consent(plan, async (keys) => {
    const signer = await keys.exchange();
    const device = await keys.authority('device');
    const batches = await authority.ledger.transaction(async (sql) => {
      await succeed(sql, inheritance.succession, inheritance.estate, by.officer, by.now);
      const issuing = issuingWith(device, authority.file, by.now);
      const lists = await certifyFleet(sql, issuing, order, by, (done) => officer.progress('signing', done));
      return batchesFor(sql, authority, lists, by);
    });
    await makeDirectories(target);
    await writeFleet(authority, plan.gaps, target, signer);
    for (const batch of batches)
      await writeAnswer(authority, batch, join(target, 'stations', batch.station), signer);
    const { generation } = inheritance.succession;
    return { ...plan, generation, stations: batches.map(({ station }) => station) };
  });
}

async function makeDirectories(target: string): Promise<void> {
  await mkdir(join(target, 'stations'), { recursive: true }).catch((cause: unknown) => {
    throw new LinesideError('directory-unwritable', { path: target, reason: systemWords(cause) }, { cause });
  });
}

async function inheritanceOf(
  sql: Statements,
  { before, brokerAnchors }: ReissueOrder,
): Promise<{ readonly succession: Succession; readonly estate: Estate }> {
  const generation = ((await successionOf(sql))?.generation ?? 1) + 1;
  const { device: deviceAnchor, broker } = before.anchors;
  const brokerAnchor = brokerAnchors === 'both' ? broker : null;
  const succession = { predecessor: before.exchange.line, generation, deviceAnchor, brokerAnchor };
  return { succession, estate: await estateOf(sql) };
}

/** By station, what is certified now and was not before. */
async function certifyFleet(
  sql: Statements,
  issuing: Issuing,
  order: ReissueOrder,
  by: Provenance,
  progress: (done: number) => void,
): Promise<Map<string, CertificateList>> {
  const lists = new Map<string, CertificateList>();
  let done = 0;
  for await (const page of fleetOf(order.before.ledger)) {
    const live = page.filter((device) => gapOf(device, order, by.now) === undefined);
    for (const [station, devices] of byStation(live)) {
      const requests = devices.map((device) => {
        const csr = readVerifiedCsr(device.request);
        mustBeOf(device, csr);
        return { ...csr, der: device.request };
      });
      const already = new Set(await admit(sql, requests));
      const issued = await certify(sql, issuing, requests, { ...by, station });
      const pairs = devices.map((device, at) => [device, mustBe(issued[at])] as const);
      for (const [device, { der }] of pairs) mustHaveSameKey(device, der);
      await insertReissues(
        sql,
        pairs.map(([device, { serial }]) => [serial, device.certificate.serial]),
      );
      const fresh = issued.filter(({ id }) => id !== null && !already.has(id));
      if (station !== null) listOf(lists, station).add(fresh);
      progress((done += devices.length));
    }
  }
  return lists;
}

/** A batch for each station that has something to fetch; if all was certified before, that of before. */
async function batchesFor(
  sql: Statements,
  authority: AuthorityDirectory,
  lists: ReadonlyMap<string, CertificateList>,
  by: Provenance,
): Promise<LedgerBatch[]> {
  const batches: LedgerBatch[] = [];
  for (const { name: station } of await knownStations(sql)) {
    const list = lists.get(station);
    const batch = list?.serials.length
      ? await recordAnswer(sql, authority, { station, answers: null }, list, null, by)
      : await lastUnasked(sql, station);
    if (batch) batches.push(batch);
  }
  return batches;
}

function gapOf(device: FleetDevice, { units, expired }: ReissueOrder, now: Date): Gap['gap'] | undefined {
  const { certificate, revoked, csrSha256 } = device;
  if (revoked) return 'revoked';
  if (expired === 'leave-out' && readCertificate(certificate.der).notAfter < now) return 'expired';
  if (units === undefined) return undefined;
  const unit = units.get(idOf(device));
  if (unit === undefined) return 'missing';
  if (unit.state === 'void') return 'void';
  return unit.csrSha256 === csrSha256 ? undefined : 'differs';
}

/** The stored request must still be the one that was certified. */
function mustBeOf({ csrSha256, certificate }: FleetDevice, { sha256, id, spkiSha256 }: VerifiedCsr): void {
  if (sha256 === csrSha256 && id === certificate.id) return;
  throw new LinesideError('request-changed', { id: mustBe(certificate.id), key: spkiSha256 });
}

/** Read from both certificates: the device goes on with the key it has. */
function mustHaveSameKey({ certificate }: FleetDevice, der: Uint8Array): void {
  const [now, before] = [der, certificate.der].map((each) =>
    Buffer.from(readCertificate(each).publicKeyInfo),
  );
  if (before !== undefined && now?.equals(before)) return;
  throw new LinesideError('internal', { reason: `the new certificate of ${certificate.id} has another key` });
}

function byStation(devices: readonly FleetDevice[]): Map<string | null, FleetDevice[]> {
  const groups = new Map<string | null, FleetDevice[]>();
  for (const device of devices) {
    const { station } = device.certificate;
    const group = groups.get(station) ?? [];
    groups.set(station, group);
    group.push(device);
  }
  return groups;
}

function listOf(lists: Map<string, CertificateList>, station: string): CertificateList {
  const list = lists.get(station) ?? new CertificateList();
  lists.set(station, list);
  return list;
}

function idOf({ certificate }: FleetDevice): DeviceId {
  return mustBe(certificate.id);
}

function mustBe<T>(value: T | null | undefined): T {
  if (value === null || value === undefined)
    throw new LinesideError('internal', { reason: 'a row is missing' });
  return value;
}
