import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DeviceId, parseDeviceId as id, parseLease } from '../../src/device.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { context } from '../support/log-context.ts';
import { logWriter } from '../../src/log/writer.ts';
import type { NewBatch, NewCertificate } from '../../src/registry/batch.ts';
import type { Registry, Step } from '../../src/registry/registry.ts';
import type { Store } from './registry.ts';

const sha = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');
const leaf = logWriter(context);
const vkey = 'acme-ca+173116ae+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

/** What the registry keeps of a batch; what is in it, it does not read. */
export function batch(sequence: number, previous = '0'.repeat(64), what = 'batch'): NewBatch {
  const manifest = new Uint8Array(Buffer.from(`${what} ${sequence}`));
  return { sequence, manifest, sha256: sha(manifest), previous };
}

const certificate = (unit: string, serial = unit, generation = 1): NewCertificate => ({
  id: id(unit),
  generation,
  der: Uint8Array.of(0x30, ...Buffer.from(serial)),
  serial,
});
const shown = new Map([['checkpoint', new Uint8Array(Buffer.from('how far'))]]);
const files = new Map([['chain.pem', new Uint8Array(Buffer.from('chain'))]]);

/** What a registry promises of the batches that go to the CA and come from it. */
export function batchContract(makeStore: () => Promise<Store>): void {
  let store: Store;
  let registry: Registry;

  beforeEach(async () => {
    store = await makeStore();
    registry = await store.open(leaf, () => new Date());
    await registry.addLease(parseLease('00000001-00000010'));
    for (const unit of ['00000001', '00000002', '00000003']) await verify(id(unit));
  });
  afterEach(() => registry.close().catch(() => undefined));

  async function verify(which: DeviceId): Promise<void> {
    const number = Number(which);
    const life: Step[] = [
      { to: 'keyed', csr: Uint8Array.of(0x30, number), spkiSha256: sha(which) },
      { to: 'flashing', uid: which, probe: 'a', firmwareSha256: null },
      { to: 'flashed' },
      { to: 'verified', proof: 'read-back', locked: false },
    ];
    await registry.reserve(which);
    for (const step of life) await registry.advance(which, step);
  }

  async function exportOne(units: readonly string[] = ['00000001', '00000002']): Promise<NewBatch> {
    const out = batch(1);
    await registry.exportBatch(out, units.map(id), shown);
    await registry.batchWritten(1);
    return out;
  }

  async function state(): Promise<object> {
    const units = await collect(registry.units({}));
    const leaves = await collect(registry.leaves());
    const batches = [await registry.lastBatch('out'), await registry.lastBatch('in')];
    return { units, leaves, batches };
  }

  async function expectRefusal(act: () => Promise<unknown>, code: ErrorCode, facts: object = {}) {
    const before = await state();
    await expect(act()).rejects.toMatchObject({ code, facts });
    expect(await state()).toEqual(before);
  }

  async function told(ev: string): Promise<Record<string, unknown>[]> {
    const leaves = await collect(registry.leaves());
    const events = leaves.map(
      (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>,
    );
    return events.filter((event) => event['ev'] === ev);
  }

  describe('the CA', () => {
    test('is trusted once, for good, and the log says so', async () => {
      expect(await registry.authority()).toBeUndefined();
      await registry.trust(vkey, sha(vkey), 'first');
      await registry.trust(vkey, sha(vkey), 'first');
      expect(await registry.authority()).toBe(vkey);
      expect(await told('authority.trust')).toMatchObject([{ signer: sha(vkey) }]);
      const other = vkey.replace('acme', 'evil');
      await expectRefusal(() => registry.trust(other, sha(other), 'first'), 'authority-differs', {
        known: vkey,
      });
      expect(await registry.authority()).toBe(vkey);
    });

    test('has a successor if that is what is said, and never comes back', async () => {
      const successor = vkey.replace('acme', 'next');
      await registry.trust(vkey, sha(vkey), 'first');
      await registry.trust(successor, sha(successor), 'successor');
      expect(await registry.authority()).toBe(successor);
      expect(await told('authority.trust')).toMatchObject([
        { signer: sha(vkey) },
        { signer: sha(successor) },
      ]);
      await expectRefusal(() => registry.trust(vkey, sha(vkey), 'successor'), 'authority-differs');
    });
  });

  describe('a batch for the CA', () => {
    test('takes its units to exported and is on record with its very bytes, also after opening again', async () => {
      const position = await registry.logPosition();
      const leaves = await collect(registry.leaves());
      expect(position).toEqual({ size: leaves.length, head: sha(leaves.at(-1) ?? '') });
      const out = await exportOne();
      await registry.close();
      registry = await store.open(leaf, () => new Date());
      expect(await registry.lastBatch('out')).toMatchObject({ ...out, direction: 'out' });
      expect((await registry.lastBatch('out'))?.writtenAt).toMatch(/Z$/);
      expect(await registry.findBatch('out', 1)).toEqual(await registry.lastBatch('out'));
      expect(await registry.findBatch('out', 2)).toBeUndefined();
      expect(await registry.batchFiles('out', 1)).toEqual(shown);
      expect(await registry.batchFiles('in', 1)).toEqual(new Map());
      const exported = await collect(registry.units({ batch: 1 }));
      expect(exported.map((unit) => [unit.id, unit.state, unit.batch])).toEqual([
        ['00000001', 'exported', 1],
        ['00000002', 'exported', 1],
      ]);
      expect(await registry.find(id('00000003'))).toMatchObject({ state: 'verified', batch: null });
      expect(await told('export.batch')).toMatchObject([{ batch: 1, manifest: out.sha256 }]);
      expect(await told('unit.exported')).toMatchObject([
        { id: '00000001', from: 'verified', to: 'exported', batch: 1 },
        { id: '00000002', from: 'verified', to: 'exported', batch: 1 },
      ]);
      expect(await told('export.written')).toMatchObject([{ batch: 1 }]);
    });

    test('with one unit that is not verified takes none', async () => {
      await registry.reserve(id('00000004'));
      const facts = { id: '00000004', from: 'reserved', to: 'exported' };
      const units = ['00000001', '00000004', '00000002'].map(id);
      await expectRefusal(() => registry.exportBatch(batch(1), units, shown), 'illegal-transition', facts);
      const unknown = ['00000001', '00000005'].map(id);
      await expectRefusal(() => registry.exportBatch(batch(1), unknown, shown), 'unit-not-found', {
        id: '00000005',
      });
    });

    test('takes no unit a second time', async () => {
      const out = await exportOne();
      const again = () => registry.exportBatch(batch(2, out.sha256), [id('00000001')], shown);
      await expectRefusal(again, 'illegal-transition', { from: 'exported' });
    });

    test('is written once, and only one that is there', async () => {
      await expectRefusal(() => registry.batchWritten(1), 'batch-unknown', { sequence: 1 });
      await exportOne();
      await expectRefusal(() => registry.batchWritten(1), 'batch-unknown', { sequence: 1 });
    });

    test.each([
      ['that leaves a number out', (last: NewBatch) => batch(3, last.sha256)],
      ['under a number that is taken', (last: NewBatch) => batch(1, last.previous, 'other')],
      ['that follows another', () => batch(2, sha('other'))],
    ])('%s is refused whatever the caller thinks', async (_, wrong) => {
      const last = await exportOne();
      await expectRefusal(() => registry.exportBatch(wrong(last), [id('00000003')], shown), 'internal');
    });

    test('is not made while the one before it is not written', async () => {
      await registry.exportBatch(batch(1), [id('00000001')], shown);
      const next = () => registry.exportBatch(batch(2, batch(1).sha256), [id('00000003')], shown);
      await expectRefusal(next, 'internal');
      await registry.batchWritten(1);
      await next();
    });
  });

  describe('a batch of the CA', () => {
    const both = [certificate('00000001'), certificate('00000002')];

    test('takes its units to certified, with what came along', async () => {
      await exportOne();
      const certified = await registry.importBatch(batch(1, undefined, 'answer'), both, files);
      expect(certified).toEqual(['00000001', '00000002']);
      expect(await registry.find(id('00000001'))).toMatchObject({
        state: 'certified',
        certificate: both[0]?.der,
        generation: null,
      });
      expect(await registry.credentials(id('00000001'))).toEqual({
        generation: 1,
        certificate: both[0]?.der,
        files,
      });
      expect(await registry.credentials(id('00000003'))).toBeUndefined();
      expect(await told('import.batch')).toMatchObject([{ batch: 1 }]);
      expect(await told('unit.certified')).toMatchObject([
        { id: '00000001', batch: 1, generation: 1, cert: sha(both[0]?.der ?? '') },
        { id: '00000002', batch: 1, generation: 1 },
      ]);
    });

    test('without files has none', async () => {
      await exportOne();
      await registry.importBatch(batch(1, undefined, 'answer'), both, new Map());
      expect((await registry.credentials(id('00000002')))?.files.size).toBe(0);
    });

    test('may bring a certificate again, which changes nothing', async () => {
      await exportOne();
      const first = batch(1, undefined, 'answer');
      await registry.importBatch(first, both.slice(0, 1), files);
      const second = batch(2, first.sha256, 'answer');
      expect(await registry.importBatch(second, both, files)).toEqual(['00000002']);
      expect(await told('unit.certified')).toHaveLength(2);
    });

    test('may bring a later certificate for units that have one, whose states stay as they are', async () => {
      await exportOne();
      const first = batch(1, undefined, 'answer');
      await registry.importBatch(first, both, files);
      await registry.advance(id('00000001'), { to: 'installed', generation: 1, locked: false });
      const later = ['00000001', '00000002'].map((unit) => certificate(unit, `AB${unit}`, 2));
      const second = batch(2, first.sha256, 'answer');
      expect(await registry.importBatch(second, later, files)).toEqual(['00000001', '00000002']);
      expect(await registry.find(id('00000001'))).toMatchObject({
        state: 'installed',
        generation: 1,
        certificate: later[0]?.der,
      });
      expect(await registry.find(id('00000002'))).toMatchObject({ state: 'certified' });
      expect(await registry.credentials(id('00000001'))).toMatchObject({ generation: 2 });
      expect(await told('unit.reissued')).toMatchObject([
        { id: '00000001', batch: 2, generation: 2, cert: sha(later[0]?.der ?? '') },
        { id: '00000002', batch: 2, generation: 2 },
      ]);
    });

    test('may bring a unit a later certificate as its first', async () => {
      await exportOne();
      const late = certificate('00000001', undefined, 2);
      await registry.importBatch(batch(1, undefined, 'answer'), [late], files);
      expect(await registry.find(id('00000001'))).toMatchObject({
        state: 'certified',
        certificate: late.der,
      });
    });

    const bad: readonly [string, NewCertificate, ErrorCode, object][] = [
      [
        'another certificate of one generation',
        certificate('00000001', 'AB'),
        'certificate-differs',
        { generation: 1 },
      ],
      [
        'a serial number of another',
        certificate('00000002', '00000001'),
        'serial-in-use',
        { id: '00000002' },
      ],
      ['a unit that was never exported', certificate('00000003'), 'illegal-transition', { from: 'verified' }],
      ['a unit there is not', certificate('00000009'), 'unit-not-found', { id: '00000009' }],
    ];
    test.each(bad)('with %s takes nothing at all', async (_, wrong, code, facts) => {
      await exportOne();
      const first = batch(1, undefined, 'answer');
      await registry.importBatch(first, [certificate('00000001')], files);
      const second = batch(2, first.sha256, 'answer');
      const certificates = wrong.id === '00000002' ? [wrong] : [certificate('00000002'), wrong];
      await expectRefusal(() => registry.importBatch(second, certificates, files), code, facts);
      expect(await registry.importBatch(second, [certificate('00000002')], files)).toHaveLength(1); // control
    });

    test('is taken once', async () => {
      await exportOne();
      const first = batch(1, undefined, 'answer');
      await registry.importBatch(first, both, files);
      await expectRefusal(() => registry.importBatch(first, both, files), 'internal');
    });
  });

  describe('a certified unit', () => {
    const installed = { to: 'installed', generation: 1, locked: false } as const;

    test('is installed, again as often as need be, with a generation it has', async () => {
      await exportOne();
      await registry.importBatch(batch(1, undefined, 'answer'), [certificate('00000001')], files);
      await expectRefusal(
        () => registry.advance(id('00000001'), { to: 'installed', generation: 2, locked: false }),
        'internal',
      );
      for (const _ of ['first', 'again']) await registry.advance(id('00000001'), installed);
      expect(await registry.find(id('00000001'))).toMatchObject({ state: 'installed', generation: 1 });
      expect(await told('unit.installed')).toMatchObject([
        { id: '00000001', from: 'certified', generation: 1 },
        { id: '00000001', from: 'installed', generation: 1 },
      ]);
    });

    test('only: no other is installed', async () => {
      await exportOne();
      for (const which of ['00000001', '00000003'])
        await expectRefusal(() => registry.advance(id(which), installed), 'illegal-transition', {
          id: which,
        });
    });
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
