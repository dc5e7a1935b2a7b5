import { createHash, X509Certificate } from 'node:crypto';
import { parseDeviceId } from './device.ts';
import { logStanding } from './log-standing.ts';
import { readLeaf } from './log/leaf.ts';
import type { Registry } from './registry/registry.ts';
import { csv } from './report/csv.ts';
import { jsonLines } from './report/json-lines.ts';
import { junit } from './report/junit.ts';
import { page } from './report/page/page.ts';
import type { Period, Report, StationLeaf } from './report/report.ts';
import { learn, type Unit, type UnitLeaf } from './report/unit.ts';
import { type ReportFile, writeReport } from './report-file.ts';
import type { Station } from './station-directory.ts';
import { version } from './version.ts';

const forms = { html: page, csv, jsonl: jsonLines, xml: junit } as const;

export interface Made {
  readonly units: number;
  /** Of the file. */
  readonly sha256: string;
}

/**
 * Tells QA, auditors and other systems what the log says of the units begun in the period. The log is read once from
 * its first leaf; what is known of each unit stays in memory, under a kilobyte, and everything else is written as it
 * is made.
 * @throws LinesideError `file-exists`, `directory-unwritable`, `registry-…`
 */
export async function makeReport(
  directory: string,
  station: Station,
  { path, form }: ReportFile,
  period: Period,
  now: Date,
): Promise<Made> {
  const { file, registry } = station;
  const { units, events, unreadable } = await readLog(registry, period);
  const leases = (await registry.leases()).map(({ lease, ...use }) => ({ ...lease, ...use }));
  const log = { ...(await logStanding(directory, station)), unreadable };
  const report: Report = {
    station: file.name,
    chip: file.chip.name,
    madeAt: now,
    version,
    period,
    units,
    events,
    leases,
    log,
    findings: [],
    leavesOf: (unit) => leavesOf(registry, unit),
    serialOf: (unit) => serialOf(registry, unit),
  };
  return { units: units.length, sha256: await writeReport(path, forms[form](report)) };
}

/** What the log tells of the units begun in the period, and of the station in it. */
async function readLog(
  registry: Registry,
  period: Period,
): Promise<Pick<Report, 'units' | 'events'> & { unreadable: number }> {
  const units = new Map<string, Unit>();
  const events: StationLeaf[] = [];
  let unreadable = 0;
  for await (const bytes of registry.leaves()) {
    const leaf = readLeaf(bytes);
    if (leaf === undefined) unreadable += 1;
    else if (typeof leaf['id'] !== 'string') events.push(leaf);
    else units.set(leaf['id'], learn(units.get(leaf['id']), leaf as unknown as UnitLeaf));
  }
  return {
    units: [...units.values()].filter(({ reservedAt }) => isIn(period, reservedAt)),
    events: events.filter(({ t }) => isIn(period, t)),
    unreadable,
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

/** Of the certificate that is named in the log, and of no other. */
async function serialOf(registry: Registry, { id, certificate }: Unit): Promise<string | null> {
  if (certificate === null) return null;
  const der = (await registry.find(parseDeviceId(id)))?.certificate ?? new Uint8Array();
  const isLogged = createHash('sha256').update(der).digest('hex') === certificate;
  return isLogged ? new X509Certificate(der).serialNumber : null;
}
