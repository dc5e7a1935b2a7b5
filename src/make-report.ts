import { createHash } from 'node:crypto';
import { auditStation, type Progress } from './audit-station.ts';
import type { Finding } from './audit/finding.ts';
import { readCertificate } from './certificate-fields.ts';
import { parseDeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { logStanding } from './log-standing.ts';
import { verifyStation } from './verify-log.ts';
import { type Leaf, readLeaf } from './log/leaf.ts';
import type { Registry } from './registry/registry.ts';
import { csv } from './report/csv.ts';
import { jsonLines } from './report/json-lines.ts';
import { junit } from './report/junit.ts';
import { page } from './report/page/page.ts';
import type { Audited, Period, Report, StationLeaf } from './report/report.ts';
import { learn, type Unit, type UnitLeaf } from './report/unit.ts';
import { type ReportFile, writeReport } from './report-file.ts';
import { openUnchecked, readStation } from './station-directory.ts';
import { version } from './version.ts';

export interface Made {
  readonly units: number;
  /** Of the file. */
  readonly sha256: string;
  /** How many findings the report tells of that show tampering. */
  readonly tampering: number;
}

/** How a report is told, once what is on record was judged. */
type Telling = (report: Report) => Iterable<string> | AsyncIterable<string>;

/**
 * Tells QA, auditors and other systems what the log says of the units begun in the period. What is known of each unit
 * stays in memory, under a kilobyte; everything else is written as it is made.
 * @throws LinesideError `log-tampered` for a form that could not tell of it, `file-exists`, `directory-unwritable`,
 * `station-…`, `registry-…`
 */
export async function makeReport(
  directory: string,
  { path, form }: ReportFile,
  period: Period,
  now: Date,
  progress: Progress,
): Promise<Made> {
  const { tell, tampering } = await judged(directory, form, now, progress);
  const file = await readStation(directory);
  const registry = await openUnchecked(directory, file);
  try {
    const told = await readLog(registry, period);
    const report: Report = {
      station: file.name,
      chip: file.chip.name,
      madeAt: now,
      version,
      period,
      ...told,
      leases: (await registry.leases()).map(({ lease, ...use }) => ({ ...lease, ...use })),
      log: await logStanding(directory, file.name, registry),
      leavesOf: (unit) => leavesOf(registry, unit),
      leaves: () => leaves(registry),
      serials: () => serials(registry, told.units),
    };
    return { units: report.units.length, sha256: await writeReport(path, tell(report)), tampering };
  } finally {
    await registry.close();
  }
}

/** People, and whoever reads all of it, are told what the audit found; a system that asks for units gets true ones or none. */
async function judged(
  directory: string,
  form: ReportFile['form'],
  now: Date,
  progress: Progress,
): Promise<{ readonly tell: Telling; readonly tampering: number }> {
  if (form === 'csv' || form === 'xml') {
    await mustHold(directory);
    return { tell: form === 'csv' ? csv : junit, tampering: 0 };
  }
  const audited = await audit(directory, now, progress);
  const tampering = audited.findings.filter(({ severity }) => severity === 'tamper').length;
  const tell = form === 'html' ? page : jsonLines;
  return { tell: (report) => tell(report, audited), tampering };
}

async function mustHold(directory: string): Promise<void> {
  const { findings } = await verifyStation(directory);
  const evidence = findings.filter(({ weight }) => weight === 'evidence');
  const [first] = evidence;
  if (first) throw new LinesideError('log-tampered', { count: evidence.length, first: first.code });
}

async function audit(directory: string, now: Date, progress: Progress): Promise<Audited> {
  const { checked, findings: found } = auditStation(directory, now, progress);
  const findings: Finding[] = [];
  for await (const finding of found) findings.push(finding);
  return { checked: { ...checked }, findings };
}

/** What the log tells of the units begun in the period, and of the station in it. */
async function readLog(registry: Registry, period: Period): Promise<Pick<Report, 'units' | 'events'>> {
  const units = new Map<string, Unit>();
  const events: StationLeaf[] = [];
  for await (const leaf of leaves(registry)) {
    if (typeof leaf['id'] !== 'string') events.push(leaf);
    else units.set(leaf['id'], learn(units.get(leaf['id']), leaf as unknown as UnitLeaf));
  }
  return {
    units: [...units.values()].filter(({ reservedAt }) => isIn(period, reservedAt)),
    events: events.filter(({ t }) => isIn(period, t)),
  };
}

function isIn({ from, to }: Period, time: string): boolean {
  const day = time.slice(0, 10);
  return (from === null || day >= from) && (to === null || day <= to);
}

async function leavesOf(registry: Registry, { id }: Unit): Promise<UnitLeaf[]> {
  const leaves = await registry.leavesOf(parseDeviceId(id));
  return leaves.flatMap(({ leaf }) => (readLeaf(leaf) as unknown as UnitLeaf | undefined) ?? []);
}

/** Those that can be read: of the others the audit has told. */
async function* leaves(registry: Registry): AsyncGenerator<Leaf> {
  for await (const bytes of registry.leaves()) {
    const leaf = readLeaf(bytes);
    if (leaf) yield leaf;
  }
}

/**
 * By the hash that the log has of each certificate, and of no other. Read at once: to ask for each by itself takes ten
 * times as long.
 */
async function serials(registry: Registry, units: readonly Unit[]): Promise<Map<string, string>> {
  const logged = new Set(units.map(({ certificate }) => certificate));
  const known = new Map<string, string>();
  for await (const { certificate } of registry.units({ states: ['certified', 'installed'] })) {
    if (certificate === null) continue;
    const sha256 = createHash('sha256').update(certificate).digest('hex');
    if (logged.has(sha256)) known.set(sha256, readCertificate(certificate).serial);
  }
  return known;
}
