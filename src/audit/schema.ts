import type { Evidence, SchemaObject } from '../registry/sqlite/evidence.ts';
import { type Finding, found, station } from './finding.ts';

/** Holds the rules of a registry to those that its migrations make: a trigger that is gone forbids nothing. */
export async function* auditSchema(
  evidence: Evidence,
  asMade: readonly SchemaObject[],
): AsyncGenerator<Finding> {
  const kept = new Map((await evidence.schema()).map((object) => [object.name, object]));
  for (const { name, type, sql } of asMade) {
    const object = kept.get(name);
    kept.delete(name);
    if (object?.sql === sql && object.type === type) continue;
    yield found('schema-differs', station, { type, name, how: object ? 'not as it was made' : 'gone' });
  }
  for (const { name, type } of kept.values())
    yield found('schema-differs', station, { type, name, how: 'nothing that lineside makes' });
}

/** What SQLite itself says: broken pages, indexes that are not those of their tables, rows against the rules. */
export async function* auditSoundness(evidence: Evidence): AsyncGenerator<Finding> {
  for (const problem of await evidence.unsound()) yield found('registry-unsound', station, { problem });
}
