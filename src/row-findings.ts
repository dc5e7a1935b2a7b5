import { parseDeviceId } from './device.ts';
import { type Finding, finding } from './log/finding.ts';
import type { Units } from './log/history/units.ts';
import { unitFacts } from './registry/facts.ts';
import type { Registry } from './registry/registry.ts';
import type { UnitFacts } from './unit-line.ts';

/** More than a person reads; the rest is of the same kind. */
const mostFindings = 50;

/** Where the rows of a registry are not what its log tells: changed, deleted, or put in by hand. */
export async function rowFindings(registry: Registry, told: Units): Promise<Finding[]> {
  const findings: Finding[] = [];
  let rows = 0;
  for await (const record of registry.units({})) {
    rows += 1;
    const row = unitFacts(record);
    const found = compare(row, told.find(row.id));
    if (found && findings.push(found) > mostFindings) return findings;
  }
  // Each row that was found is in the log too, or was just named: so a difference in number is what is missing.
  const unlogged = findings.filter(({ code }) => code === 'row-unlogged').length;
  if (rows - unlogged < told.size) findings.push(...(await missing(registry, told)));
  return findings;
}

function compare(row: UnitFacts, told: UnitFacts | undefined): Finding | undefined {
  if (told === undefined) return finding('row-unlogged', { id: row.id });
  const field = differingField(row, told);
  if (field === undefined) return undefined;
  return finding('row-differs', { id: row.id, field, found: String(row[field]), told: String(told[field]) });
}

/** The first field in which a row is not what the log tells of its unit. */
export function differingField(row: UnitFacts, told: UnitFacts): (typeof fields)[number] | undefined {
  return fields.find((field) => row[field] !== told[field]);
}

async function missing(registry: Registry, told: Units): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id } of told.inOrder()) {
    if (findings.length > mostFindings) break;
    if ((await registry.find(parseDeviceId(id))) === undefined) findings.push(finding('row-missing', { id }));
  }
  return findings;
}

const fields = [
  'state',
  'csr',
  'spki',
  'uid',
  'probe',
  'firmware',
  'proof',
  'locked',
  'batch',
  'certificate',
  'generation',
  'reason',
  'reservedAt',
  'changedAt',
] as const satisfies readonly (keyof UnitFacts)[];
