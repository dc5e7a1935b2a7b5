import type { Evidence } from '../registry/sqlite/evidence.ts';
import { type Finding, found, station } from './finding.ts';

/** What the constraints of the registry forbid, as long as they are there. */
const codes = { id: 'id-twice', chip: 'chip-twice', serial: 'serial-twice' } as const;

export async function* auditDuplicates(evidence: Evidence): AsyncGenerator<Finding> {
  for (const of of ['id', 'chip', 'serial'] as const)
    for (const { value, ids } of await evidence.shared(of))
      yield found(codes[of], station, { value, ids: [...new Set(ids)].join(' and ') });
  const { units, certificates } = await evidence.strays();
  if (units > 0) yield found('row-stray', station, { count: units });
  for (const serial of certificates) yield found('certificate-stray', station, { serial });
}
