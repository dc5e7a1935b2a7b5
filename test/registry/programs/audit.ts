import { createHash } from 'node:crypto';
import { type DeviceId, type UnitState, unitStates } from '../../../src/device.ts';
import type { Registry } from '../../../src/registry/registry.ts';

/** What a program said aloud: this change has been committed. */
export interface Acknowledged {
  readonly id: DeviceId;
  readonly state: UnitState;
}

/**
 * What is wrong with a registry after a crash, in words; empty if nothing is: an acknowledged change that is not
 * there, a log with a gap or a broken chain, or rows that are not what their log says.
 */
export async function audit(registry: Registry, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const rows = new Map<string, UnitState>();
  for await (const unit of registry.units({})) rows.set(unit.id, unit.state);
  const lost = acknowledged.filter(({ id, state }) => !reached(rows.get(id), state));
  const { units, faults } = await replay(registry);
  const differing = [...new Set([...rows.keys(), ...units.keys()])].filter(
    (id) => rows.get(id) !== units.get(id),
  );
  return [
    ...lost.map(({ id, state }) => `${id} was acknowledged ${state} and is ${rows.get(id) ?? 'not there'}`),
    ...faults,
    ...differing.map((id) => `${id} is ${rows.get(id)} and the log says ${units.get(id)}`),
  ];
}

function reached(found: UnitState | undefined, state: UnitState): boolean {
  return found !== undefined && unitStates.indexOf(found) >= unitStates.indexOf(state);
}

async function replay(registry: Registry): Promise<{ units: Map<string, UnitState>; faults: string[] }> {
  const units = new Map<string, UnitState>();
  const faults: string[] = [];
  let previous = '0'.repeat(64);
  let n = 0;
  for await (const bytes of registry.leaves()) {
    const told = JSON.parse(Buffer.from(bytes).toString()) as Record<string, string | number>;
    if (told.n !== n || told.p !== previous) faults.push(`leaf ${n} does not follow the one before`);
    if (told.to !== undefined) units.set(String(told.id), told.to as UnitState);
    previous = createHash('sha256').update(bytes).digest('hex');
    n++;
  }
  return { units, faults };
}
