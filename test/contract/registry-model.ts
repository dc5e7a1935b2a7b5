import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DeviceId, deviceIdFromNumber, deviceIdToNumber, type UnitState } from '../../src/device.ts';
import { LinesideError } from '../../src/errors.ts';
import { context } from '../support/log-context.ts';
import { logWriter } from '../../src/log/writer.ts';
import type { Registry, Step } from '../../src/registry/registry.ts';
import { batch } from './batches.ts';
import type { Store } from './registry.ts';

/** One thing done to a registry; ids, keys and chips come from small sets, so that they meet. */
type Act =
  | { readonly act: 'lease'; readonly first: number; readonly size: number }
  | { readonly act: 'next' }
  | { readonly act: 'reserve'; readonly id: number }
  | {
      readonly act: 'advance';
      readonly id: number;
      readonly to: (typeof steps)[number];
      readonly key: number;
      readonly chip: number;
    }
  | { readonly act: 'export' }
  | { readonly act: 'import' }
  | { readonly act: 'reopen' };

const number = fc.integer({ min: 1, max: 24 });
const steps = ['keyed', 'flashing', 'flashed', 'verified', 'void'] as const;
const advance = fc.record({
  act: fc.constant('advance' as const),
  id: fc.integer({ min: 1, max: 6 }),
  to: fc.constantFrom(...steps),
  key: fc.nat(12),
  chip: fc.nat(3),
});
const anAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ act: fc.constant('lease' as const), first: number, size: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ act: fc.constant('next' as const) }),
  fc.record({ act: fc.constant('reserve' as const), id: number }),
  { weight: 8, arbitrary: advance },
  fc.constant({ act: 'export' as const }),
  fc.constant({ act: 'import' as const }),
  fc.record({ act: fc.constant('reopen' as const) }),
);

interface ModelUnit {
  readonly state: UnitState;
  readonly key?: number;
  readonly chip?: number;
}

/** The rules again, over plain numbers. */
class Model {
  readonly leases: { first: number; last: number }[] = [];
  readonly units = new Map<number, ModelUnit>();
  changes = 0;

  /** @returns what the registry should answer: an id, `done`, or the code of an error */
  do(act: Act): string {
    const answer = this.#answer(act);
    if (act.act !== 'reopen' && (answer === 'done' || /^[0-9A-F]{8}$/.test(answer))) this.changes++;
    return answer;
  }

  #answer(act: Act): string {
    switch (act.act) {
      case 'lease':
        return this.#lease(act.first, act.first + act.size - 1);
      case 'next': {
        const free = this.leases
          .flatMap(({ first, last }) => range(first, last))
          .find((id) => !this.units.has(id));
        if (free === undefined) return 'lease-exhausted';
        this.units.set(free, { state: 'reserved' });
        return deviceIdFromNumber(free);
      }
      case 'reserve':
        if (this.units.has(act.id)) return 'id-in-use';
        if (!this.leases.some(({ first, last }) => first <= act.id && act.id <= last))
          return 'id-outside-lease';
        this.units.set(act.id, { state: 'reserved' });
        return 'done';
      case 'advance':
        return this.#advance(act);
      case 'export':
        this.#moveAll('verified', 'exported');
        this.changes++; // the batch is written, too
        return 'done';
      case 'import':
        this.#moveAll('exported', 'certified');
        return 'done';
      case 'reopen':
        return 'done';
    }
  }

  #moveAll(from: UnitState, to: UnitState): void {
    for (const [id, unit] of this.units) {
      if (unit.state !== from) continue;
      this.units.set(id, { ...unit, state: to });
      this.changes++;
    }
  }

  #lease(first: number, last: number): string {
    if (this.leases.some((other) => first <= other.last && other.first <= last)) return 'lease-overlaps';
    this.leases.push({ first, last });
    return 'done';
  }

  #advance({ id, to, key, chip }: Extract<Act, { act: 'advance' }>): string {
    const unit = this.units.get(id);
    if (unit === undefined) return 'unit-not-found';
    const before = ['reserved', 'keyed', 'flashing', 'flashed'][steps.indexOf(to)];
    if (['void', 'exported', 'certified'].includes(unit.state) || (to !== 'void' && unit.state !== before))
      return 'illegal-transition';
    const others = [...this.units.values()].filter((other) => other !== unit);
    if (to === 'keyed' && others.some((other) => other.key === key)) return 'key-in-use';
    if (to === 'flashing' && others.some((other) => other.state !== 'void' && other.chip === chip))
      return 'board-in-use';
    this.units.set(id, {
      ...unit,
      state: to,
      ...(to === 'keyed' && { key }),
      ...(to === 'flashing' && { chip }),
    });
    return 'done';
  }
}

export function registryModel(makeStore: () => Promise<Store>): void {
  test('any sequence of acts is answered, and leaves the registry, as the rules say', async () => {
    const acts = fc.array(anAct, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(acts, async (sequence) => compare(await makeStore(), sequence)),
      { numRuns: 40 },
    );
  });
}

async function compare(store: Store, acts: readonly Act[]): Promise<void> {
  const open = () => store.open(logWriter(context), () => new Date());
  const model = new Model();
  let registry = await open();
  try {
    for (const act of [{ act: 'lease', first: 1, size: 6 } as const, ...acts]) {
      if (act.act === 'reopen') {
        await registry.close();
        registry = await open();
      }
      expect(await perform(registry, act)).toBe(model.do(act));
    }
    await expectSame(registry, model);
  } finally {
    await registry.close();
  }
}

async function expectSame(registry: Registry, model: Model): Promise<void> {
  const units = new Map<number, UnitState>();
  for await (const unit of registry.units({})) units.set(deviceIdToNumber(unit.id), unit.state);
  const expected = [...model.units].sort(([a], [b]) => a - b).map(([id, { state }]) => [id, state] as const);
  expect([...units]).toEqual(expected);
  const used = (await registry.leases()).reduce((sum, lease) => sum + lease.used, 0);
  expect(used).toBe(model.units.size);
  let leaves = 0;
  for await (const _ of registry.leaves()) leaves++;
  expect(leaves).toBe(model.changes);
}

async function perform(registry: Registry, act: Act): Promise<string> {
  try {
    return (await ask(registry, act)) ?? 'done';
  } catch (error) {
    return error instanceof LinesideError ? error.code : String(error);
  }
}

async function ask(registry: Registry, act: Act): Promise<DeviceId | undefined | void> {
  switch (act.act) {
    case 'lease':
      return registry.addLease({
        first: deviceIdFromNumber(act.first),
        last: deviceIdFromNumber(act.first + act.size - 1),
      });
    case 'next':
      return registry.reserveNext();
    case 'reserve':
      return registry.reserve(deviceIdFromNumber(act.id));
    case 'advance':
      return registry.advance(deviceIdFromNumber(act.id), toStep(act));
    case 'export':
      return exportAll(registry);
    case 'import':
      return importAll(registry);
    case 'reopen':
      return undefined;
  }
}

async function exportAll(registry: Registry): Promise<void> {
  const last = await registry.lastBatch('out');
  const next = batch((last?.sequence ?? 0) + 1, last?.sha256);
  await registry.exportBatch(next, await idsOf(registry, 'verified'), new Map());
  await registry.batchWritten(next.sequence);
}

async function importAll(registry: Registry): Promise<void> {
  const last = await registry.lastBatch('in');
  const next = batch((last?.sequence ?? 0) + 1, last?.sha256, 'answer');
  const exported = await idsOf(registry, 'exported');
  const certificates = exported.map((id) => ({ id, generation: 1, der: Uint8Array.of(0x30), serial: id }));
  await registry.importBatch(next, certificates, new Map());
}

async function idsOf(registry: Registry, state: UnitState): Promise<DeviceId[]> {
  const ids: DeviceId[] = [];
  for await (const { id } of registry.units({ states: [state] })) ids.push(id);
  return ids;
}

function toStep({ to, key, chip }: Extract<Act, { act: 'advance' }>): Step {
  switch (to) {
    case 'keyed':
      return { to, csr: Uint8Array.of(0x30, key), spkiSha256: key.toString(16).padStart(64, '0') };
    case 'flashing':
      return { to, uid: `0000000${chip}`, probe: 'a', firmwareSha256: null };
    case 'flashed':
      return { to };
    case 'verified':
      return { to, proof: 'read-back', locked: false };
    case 'void':
      return { to, reason: 'scrapped' };
  }
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
