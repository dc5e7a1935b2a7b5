import { type Leaf, readLeaf } from './log/leaf.ts';

/** What is looked for in a log; what is left out matches everything. */
export interface Query {
  readonly id?: string;
  readonly station?: string;
  /** The name of an event, or the beginning of one up to a dot: `unit` is every event of a unit. */
  readonly event?: string;
  readonly result?: 'pass' | 'fail';
  /** ISO 8601, as precise as wanted: `2026-11` is all of November, UTC. */
  readonly from?: string;
  readonly to?: string;
}

/** What an entry says, if it is what is looked for. An entry that says nothing readable is never passed over in silence. */
export function matching(query: Query, bytes: Uint8Array): Leaf | 'unreadable' | undefined {
  const leaf = readLeaf(bytes);
  if (leaf === undefined) return 'unreadable';
  const { id, station, event, result, from, to } = query;
  if (id !== undefined && leaf['id'] !== id) return undefined;
  if (station !== undefined && leaf.station !== station) return undefined;
  if (event !== undefined && leaf.ev !== event && !leaf.ev.startsWith(`${event}.`)) return undefined;
  if (result !== undefined && leaf.ev !== (result === 'pass' ? 'unit.verified' : 'unit.void'))
    return undefined;
  if (from !== undefined && leaf.t < from) return undefined;
  if (to !== undefined && leaf.t.slice(0, to.length) > to) return undefined;
  return leaf;
}
