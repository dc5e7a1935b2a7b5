import type { Evidence, LeaseRow } from '../registry/sqlite/evidence.ts';
import { type Finding, found } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

/** Every lease by the log, and every id of it accounted for: used, or not yet come to. */
export async function* auditLeases(
  evidence: Evidence,
  facts: LogFacts,
  leases: readonly LeaseRow[],
): AsyncGenerator<Finding> {
  const logged = new Map(facts.leases);
  for (const [place, lease] of leases.entries()) {
    const range = rangeOf(lease);
    yield* againstLog(range, lease.closed, logged.get(range)?.closed);
    logged.delete(range);
    for (const other of leases.slice(0, place))
      if (lease.first <= other.last && lease.last >= other.first)
        yield found('lease-overlaps', subject(range), { lease: range, other: rangeOf(other) });
    yield* usedUp(evidence, lease, range);
  }
  for (const [range] of logged)
    yield found('lease-differs', subject(range), {
      lease: range,
      field: 'it',
      found: 'missing',
      told: 'there',
    });
}

/** @param told by the log; undefined if it does not know the lease */
function* againstLog(
  range: string,
  closed: string | null,
  told: string | null | undefined,
): Generator<Finding> {
  const differs = (field: string, found: string, told: string) => ({ lease: range, field, found, told });
  if (told === undefined) yield found('lease-differs', subject(range), differs('it', 'there', 'unknown'));
  else if (closed !== told)
    yield found('lease-differs', subject(range), differs('its end', closed ?? 'open', told ?? 'open'));
}

/** "Every id of the lease below `next` has been used", and none of them is given back. */
async function* usedUp(
  evidence: Evidence,
  { first, last, next }: LeaseRow,
  lease: string,
): AsyncGenerator<Finding> {
  const { used } = await evidence.usedIn(first, last);
  if (next < first || next > last + 1) {
    yield found('lease-cursor', subject(lease), { lease, next: hex(next), used });
    return;
  }
  const { gap } = next > first ? await evidence.usedIn(first, next - 1) : { gap: null };
  if (gap !== null) yield found('lease-gap', subject(lease), { lease, id: hex(gap) });
}

/** Whether an id is in one of them. */
export function isLeased(id: number, leases: readonly LeaseRow[]): boolean {
  return leases.some(({ first, last }) => first <= id && id <= last);
}

function rangeOf({ first, last }: LeaseRow): string {
  return `${hex(first)}-${hex(last)}`;
}

function subject(range: string) {
  return { kind: 'lease', range } as const;
}

function hex(id: number): string {
  return id.toString(16).toUpperCase().padStart(8, '0');
}
