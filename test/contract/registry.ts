import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DeviceId, parseDeviceId, parseLease } from '../../src/device.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { context } from '../support/log-context.ts';
import { logWriter } from '../../src/log/writer.ts';
import type { LogWriter } from '../../src/registry/log.ts';
import type { Registry, Step, UnitRecord } from '../../src/registry/registry.ts';
import { batchContract } from './batches.ts';
import { logContract } from './log.ts';
import { registryModel } from './registry-model.ts';

/** One database: the first `open` makes an empty registry in it, later ones open what is there. */
export interface Store {
  open(writer: LogWriter, clock: () => Date): Promise<Registry>;
}

const id = parseDeviceId;
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const leaf = logWriter(context);
/** Each look at the clock is a second later. */
const ticking = () => {
  let seconds = 0;
  return () => new Date(Date.UTC(2026, 10, 23, 9, 0, seconds++));
};

const csr = Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00);
const keyed = { to: 'keyed', csr, spkiSha256: sha('key 1') } satisfies Step;
const firmwareSha256 = sha('firmware');
const flashing = { to: 'flashing', uid: '0011223344556677', probe: 'a', firmwareSha256 } satisfies Step;
const flashed = { to: 'flashed' } satisfies Step;
const verified = { to: 'verified', proof: 'signature', locked: true } satisfies Step;
const voided = { to: 'void', reason: 'program-failed' } satisfies Step;

/** What a registry promises, whatever database is behind it. */
export function registryContract(name: string, makeStore: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;
    let registry: Registry;
    let clock: () => Date;

    beforeEach(async () => {
      store = await makeStore();
      clock = ticking();
      registry = await store.open(leaf, clock);
    });
    afterEach(() => registry.close().catch(() => undefined));

    async function make(which: DeviceId, ...steps: Step[]): Promise<void> {
      await registry.reserve(which);
      for (const step of steps) await registry.advance(which, step);
    }

    async function reopen(writer: LogWriter = leaf): Promise<void> {
      await registry.close();
      registry = await store.open(writer, clock);
    }

    describe('leases', () => {
      test('are listed in the order they were added, with what is used and left', async () => {
        await registry.addLease(parseLease('00000100-000001FF'));
        await registry.addLease(parseLease('00000001-00000002'));
        await registry.reserve(id('00000002'));
        expect(await registry.leases()).toEqual([
          { lease: { first: '00000100', last: '000001FF' }, used: 0, left: 256, closed: false },
          { lease: { first: '00000001', last: '00000002' }, used: 1, left: 1, closed: false },
        ]);
      });

      test.each([
        '00000010-0000001F',
        '00000001-00000010',
        '0000001F-00000020',
        '00000018-00000018',
        '00000001-FFFFFFFE',
      ])('that overlap one of this station are refused: %s', async (overlapping) => {
        await registry.addLease(parseLease('00000010-0000001F'));
        const before = await everything(registry);
        await expect(registry.addLease(parseLease(overlapping))).rejects.toMatchObject({
          code: 'lease-overlaps',
          facts: { lease: overlapping, other: '00000010-0000001F' },
        });
        expect(await everything(registry)).toEqual(before);
      });

      test('may touch', async () => {
        await registry.addLease(parseLease('00000010-0000001F'));
        await registry.addLease(parseLease('00000020-0000002F'));
        await registry.addLease(parseLease('00000001-0000000F'));
        expect(await registry.leases()).toHaveLength(3);
      });
    });

    describe('the next id', () => {
      test('is the lowest never used, lease after lease, and asked-for ids are stepped over', async () => {
        await registry.addLease(parseLease('00000010-00000013'));
        await registry.addLease(parseLease('00000001-00000002'));
        for (const taken of ['00000010', '00000012', '00000001']) await registry.reserve(id(taken));
        const given = [
          await registry.reserveNext(),
          await registry.reserveNext(),
          await registry.reserveNext(),
        ];
        expect(given).toEqual(['00000011', '00000013', '00000002']);
      });

      test('is found beyond a lease whose every id was asked for', async () => {
        await registry.addLease(parseLease('00000010-00000011'));
        await registry.addLease(parseLease('00000012-00000014'));
        for (const taken of ['00000010', '00000011', '00000012', '00000013'])
          await registry.reserve(id(taken));
        expect(await registry.reserveNext()).toBe('00000014');
        await expect(registry.reserveNext()).rejects.toMatchObject({ code: 'lease-exhausted' });
      });

      test('is never that of a unit made void, also after opening again', async () => {
        await registry.addLease(parseLease('00000001-00000003'));
        await registry.advance(await registry.reserveNext(), voided);
        await reopen();
        expect(await registry.reserveNext()).toBe('00000002');
      });

      test('does not exist when the leases are used up; a new lease helps', async () => {
        await expect(registry.reserveNext()).rejects.toMatchObject({ code: 'lease-exhausted' });
        await registry.addLease(parseLease('FFFFFFFD-FFFFFFFE'));
        await registry.reserveNext();
        expect(await registry.reserveNext()).toBe('FFFFFFFE');
        const before = await everything(registry);
        await expect(registry.reserveNext()).rejects.toMatchObject({ code: 'lease-exhausted' });
        expect(await everything(registry)).toEqual(before);
        await registry.addLease(parseLease('00000001-00000001'));
        expect(await registry.reserveNext()).toBe('00000001');
      });

      test('is another for each of many callers at once', async () => {
        await registry.addLease(parseLease('00000001-0000FFFF'));
        const given = await Promise.all(Array.from({ length: 40 }, () => registry.reserveNext()));
        expect(new Set(given).size).toBe(40);
        expect(await collect(registry.leaves())).toHaveLength(41);
      });
    });

    describe('leases that are closed', () => {
      beforeEach(async () => {
        await registry.addLease(parseLease('00000010-0000001F'));
        await registry.addLease(parseLease('00000001-00000002'));
        await registry.reserve(id('00000002'));
        await registry.closeLeases();
      });

      test('give no id, neither the next nor one asked for', async () => {
        await expect(registry.reserveNext()).rejects.toMatchObject({ code: 'lease-exhausted' });
        await expect(registry.reserve(id('00000011'))).rejects.toMatchObject({ code: 'id-outside-lease' });
        expect(await registry.leases()).toEqual([
          { lease: { first: '00000010', last: '0000001F' }, used: 0, left: 0, closed: true },
          { lease: { first: '00000001', last: '00000002' }, used: 1, left: 0, closed: true },
        ]);
      });

      test('are in the log, each once', async () => {
        await registry.closeLeases();
        const told = (await collect(registry.leaves())).map((bytes) =>
          JSON.parse(Buffer.from(bytes).toString()),
        );
        expect(told.filter(({ ev }) => ev === 'lease.close')).toMatchObject([
          { lease: '00000010-0000001F' },
          { lease: '00000001-00000002' },
        ]);
      });

      test('keep their ids from every lease to come, and their units go on', async () => {
        await expect(registry.addLease(parseLease('0000001F-0000002F'))).rejects.toMatchObject({
          code: 'lease-overlaps',
        });
        await registry.addLease(parseLease('00000020-0000002F'));
        expect(await registry.reserveNext()).toBe('00000020');
        await registry.advance(id('00000002'), keyed);
      });
    });

    describe('an id asked for', () => {
      beforeEach(() => registry.addLease(parseLease('00000010-0000001F')));

      test.each(['0000000F', '00000020', 'FFFFFFFE'])(
        'outside the leases is refused: %s',
        async (outside) => {
          const before = await everything(registry);
          await expect(registry.reserve(id(outside))).rejects.toMatchObject({
            code: 'id-outside-lease',
            facts: { id: outside },
          });
          expect(await everything(registry)).toEqual(before);
        },
      );

      test('is refused the second time, also when its unit is void', async () => {
        await registry.reserve(id('00000010'));
        await expect(registry.reserve(id('00000010'))).rejects.toMatchObject({ code: 'id-in-use' });
        await registry.advance(id('00000010'), voided);
        const before = await everything(registry);
        await expect(registry.reserve(id('00000010'))).rejects.toMatchObject({
          code: 'id-in-use',
          facts: { id: '00000010' },
        });
        expect(await everything(registry)).toEqual(before);
      });
    });

    describe('a unit', () => {
      beforeEach(() => registry.addLease(parseLease('00000001-00000010')));

      test('learns at each step what the step says, keeps it, and survives opening again', async () => {
        await registry.reserve(id('00000001'));
        let expected: UnitRecord = {
          id: id('00000001'),
          state: 'reserved',
          csr: null,
          spkiSha256: null,
          uid: null,
          probe: null,
          firmwareSha256: null,
          proof: null,
          locked: false,
          batch: null,
          certificate: null,
          generation: null,
          reason: null,
          reservedAt: '2026-11-23T09:00:01.000Z',
          changedAt: '2026-11-23T09:00:01.000Z',
        };
        expect(await registry.find(id('00000001'))).toEqual(expected);
        for (const [index, step] of [keyed, flashing, flashed, verified, voided].entries()) {
          await registry.advance(id('00000001'), step);
          const { to, ...learned } = step;
          const changedAt = `2026-11-23T09:00:0${index + 2}.000Z`;
          expected = { ...expected, ...learned, state: to, changedAt };
          expect(await registry.find(id('00000001'))).toEqual(expected);
        }
        await reopen();
        expect(await registry.find(id('00000001'))).toEqual(expected);
      });

      const life = [
        { from: 'reserved', step: keyed },
        { from: 'keyed', step: flashing },
        { from: 'flashing', step: flashed },
        { from: 'flashed', step: verified },
      ];
      const made = (from: string): Step[] => {
        const steps = life.map(({ step }) => step);
        return from === 'verified'
          ? steps
          : steps.slice(
              0,
              life.findIndex((stage) => stage.from === from),
            );
      };
      const jumps = [...life.map(({ from }) => from), 'verified'].flatMap((from) =>
        life.filter((stage) => stage.from !== from).map(({ step }) => ({ from, to: step.to, step })),
      );

      test.each(jumps)('that is $from cannot become $to', async ({ from, to, step }) => {
        await make(id('00000001'), ...made(from));
        await expectRefusal(id('00000001'), step, 'illegal-transition', { id: '00000001', from, to });
      });

      test.each(['reserved', 'keyed', 'flashing', 'flashed', 'verified'])(
        'that is %s can become void, and nothing after that',
        async (from) => {
          await make(id('00000001'), ...made(from), voided);
          expect(await registry.find(id('00000001'))).toMatchObject({ state: 'void', reason: voided.reason });
          for (const step of [...made('verified'), voided])
            await expectRefusal(id('00000001'), step, 'illegal-transition', { from: 'void', to: step.to });
        },
      );

      test('that is not there is an error to change and undefined to find', async () => {
        await expectRefusal(id('00000002'), keyed, 'unit-not-found', { id: '00000002' });
        expect(await registry.find(id('00000002'))).toBeUndefined();
        expect(await registry.findByUid('0011223344556677')).toBeUndefined();
      });

      test('never has the key of another, not even of a void one', async () => {
        await make(id('00000001'), keyed, voided);
        await make(id('00000002'));
        await expectRefusal(id('00000002'), keyed, 'key-in-use', { id: '00000002' });
      });

      test('never has the chip of another that is not void', async () => {
        await make(id('00000001'), keyed, flashing);
        await make(id('00000002'), { ...keyed, spkiSha256: sha('key 2') });
        await expectRefusal(id('00000002'), flashing, 'board-in-use', { uid: flashing.uid, id: '00000001' });
        await registry.advance(id('00000001'), voided);
        await registry.advance(id('00000002'), flashing);
        expect(await registry.findByUid(flashing.uid)).toMatchObject({ id: '00000002' });
      });

      test('without firmware has none', async () => {
        await make(id('00000001'), keyed, { ...flashing, firmwareSha256: null });
        expect(await registry.find(id('00000001'))).toMatchObject({ firmwareSha256: null, probe: 'a' });
      });

      async function expectRefusal(
        which: DeviceId,
        step: Step,
        code: ErrorCode,
        facts: object,
      ): Promise<void> {
        const before = await everything(registry);
        await expect(registry.advance(which, step)).rejects.toMatchObject({ code, facts });
        expect(await everything(registry)).toEqual(before);
      }
    });

    describe('the list of units', () => {
      test('is by id, whole over many pages, and filtered by state', async () => {
        await registry.addLease(parseLease('00000001-00000FFF'));
        const made = await Promise.all(Array.from({ length: 1001 }, () => registry.reserveNext()));
        for (const which of made.slice(-2)) await registry.advance(which, voided);
        const ids = async (filter: Parameters<Registry['units']>[0]) =>
          (await collect(registry.units(filter))).map((unit) => unit.id);
        expect(await ids({})).toEqual(made);
        expect(await ids({ states: ['reserved'] })).toEqual(made.slice(0, -2));
        expect(await ids({ states: ['void', 'keyed'] })).toEqual(made.slice(-2));
        expect(await ids({ states: [] })).toEqual([]);
        expect(await collect(registry.leaves())).toHaveLength(1004);
      });
    });

    describe('the log', () => {
      test('has one leaf for each change, in order, chained by the hash of the leaf before', async () => {
        await registry.record({ ev: 'station.init', chip: 'nrf52840' });
        await registry.addLease(parseLease('00000001-00000010'));
        await make(id('00000001'), keyed, flashing, flashed, verified, voided);
        await reopen();
        await registry.record({ ev: 'export.written', batch: 1 });
        const leaves = await collect(registry.leaves());
        const told = leaves.map((bytes) => JSON.parse(Buffer.from(bytes).toString()));
        const csrHash = createHash('sha256').update(csr).digest('hex');
        const of = { id: '00000001' };
        expect(told).toMatchObject([
          { ev: 'station.init', chip: 'nrf52840' },
          { ev: 'lease.accept', lease: '00000001-00000010' },
          { ev: 'unit.reserved', ...of, to: 'reserved' },
          { ev: 'unit.keyed', ...of, from: 'reserved', to: 'keyed', csr: csrHash, spki: sha('key 1') },
          { ev: 'unit.flashing', ...of, from: 'keyed', uid: flashing.uid, probe: 'a', fw: firmwareSha256 },
          { ev: 'unit.flashed', ...of, from: 'flashing', to: 'flashed' },
          { ev: 'unit.verified', ...of, from: 'flashed', to: 'verified', proof: 'signature', locked: true },
          { ev: 'unit.void', ...of, from: 'verified', to: 'void', reason: 'program-failed' },
          { ev: 'export.written', batch: 1 },
        ]);
        expect(told.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
        const hashes = leaves.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
        expect(told.map(({ p }) => p)).toEqual(['0'.repeat(64), ...hashes.slice(0, -1)]);
        const unit = await registry.find(id('00000001'));
        expect([told[2].t, told[7].t]).toEqual([unit?.reservedAt, unit?.changedAt]);
      });

      test('gets no leaf for a change that failed, and the change is undone if its leaf cannot be made', async () => {
        await registry.addLease(parseLease('00000001-00000010'));
        await make(id('00000001'));
        const before = await everything(registry);
        const encodeLeaf = () => {
          throw new Error('no leaf');
        };
        await reopen({ ...leaf, encodeLeaf });
        const changes = [
          () => registry.addLease(parseLease('00000020-00000030')),
          () => registry.reserveNext(),
          () => registry.reserve(id('00000005')),
          () => registry.advance(id('00000001'), keyed),
          () => registry.record({ ev: 'station.init', chip: 'nrf52840' }),
        ];
        for (const change of changes) await expect(change()).rejects.toThrow('no leaf');
        expect(await everything(registry)).toEqual(before);
        await reopen();
        for (const change of changes) await change();
        expect(await collect(registry.leaves())).toHaveLength(7);
      });
    });

    test('a change refused between others at the same time leaves those whole', async () => {
      await registry.addLease(parseLease('00000001-00000010'));
      const outcomes = await Promise.allSettled([
        registry.reserve(id('00000001')),
        registry.reserve(id('00000001')),
        registry.find(id('00000001')),
        registry.advance(id('00000001'), keyed),
        registry.reserve(id('FFFFFFFE')),
        registry.reserveNext(),
      ]);
      expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
        true,
        false,
        true,
        true,
        false,
        true,
      ]);
      expect(outcomes[2]).toMatchObject({ value: { state: 'reserved' } });
      expect(await collect(registry.units({}))).toMatchObject([
        { id: '00000001', state: 'keyed' },
        { id: '00000002', state: 'reserved' },
      ]);
    });

    test('a closed registry does nothing more, and what was asked before is done', async () => {
      await registry.addLease(parseLease('00000001-00000010'));
      const asked = registry.reserveNext();
      await registry.close();
      expect(await asked).toBe('00000001');
      await expect(registry.reserveNext()).rejects.toThrow('closed');
      registry = await store.open(leaf, clock);
      expect(await registry.find(id('00000001'))).toMatchObject({ state: 'reserved' });
    });

    describe('the tree', () => logContract(() => makeStore()));

    describe('batches', () => batchContract(() => makeStore()));

    registryModel(() => makeStore());
  });
}

async function everything(registry: Registry): Promise<object> {
  const units = await collect(registry.units({}));
  return { units, leases: await registry.leases(), leaves: await collect(registry.leaves()) };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
