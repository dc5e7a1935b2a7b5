import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseDeviceId as id, parseLease } from '../../src/device.ts';
import { logWriter } from '../../src/log/writer.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { context } from '../support/log-context.ts';
import { treeHash } from '../support/rfc6962.ts';
import type { Store } from './registry.ts';

const writer = logWriter(context);
const sha = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

/** What a registry promises of the tree over its log, of seals and of epochs. */
export function logContract(makeStore: () => Promise<Store>): void {
  let store: Store;
  let registry: Registry;
  let now: number;
  const clock = () => new Date(now);

  beforeEach(async () => {
    store = await makeStore();
    now = Date.UTC(2026, 10, 23, 9);
    registry = await store.open(writer, clock);
    await registry.addLease(parseLease('00000001-0000FFFF'));
  });
  afterEach(() => registry.close().catch(() => undefined));

  async function told(): Promise<Record<string, unknown>[]> {
    return (await leavesOf(registry)).map((leaf) => JSON.parse(Buffer.from(leaf).toString()));
  }

  test('has every complete subtree over the leaves, each as the RFC defines it', async () => {
    for (let leaf = 1; leaf < 40; leaf++) await registry.reserveNext();
    const leaves = await leavesOf(registry);
    for (let level = 0; level <= 6; level++) {
      const width = 2 ** level;
      const complete = Array.from({ length: Math.floor(leaves.length / width) }, (_, place) =>
        treeHash(leaves.slice(place * width, (place + 1) * width)),
      );
      expect(await registry.nodes(level, 0, 100)).toEqual(complete);
    }
  });

  test('is the same for many leaves in one change', async () => {
    for (let first = 0x10000; first < 0x10014; first++) {
      const lease = first.toString(16).toUpperCase().padStart(8, '0');
      await registry.addLease(parseLease(`${lease}-${lease}`));
    }
    await registry.closeLeases();
    const leaves = await leavesOf(registry);
    expect(leaves).toHaveLength(42);
    expect(await registry.nodes(0, 0, 100)).toEqual(leaves.map((leaf) => treeHash([leaf])));
    expect(await registry.nodes(5, 0, 2)).toEqual([treeHash(leaves.slice(0, 32))]);
  });

  test('gives the nodes of a level that are there, and no others', async () => {
    for (let leaf = 1; leaf < 7; leaf++) await registry.reserveNext();
    expect(await registry.nodes(0, 5, 6)).toHaveLength(1);
    expect(await registry.nodes(0, 5, 100)).toHaveLength(2);
    expect(await registry.nodes(1, 3, 4)).toEqual([]);
    expect(await registry.nodes(3, 0, 1)).toEqual([]);
  });

  test('knows the leaves of a unit', async () => {
    await registry.reserve(id('0000000A'));
    await registry.reserve(id('0000000B'));
    await registry.advance(id('0000000A'), { to: 'void', reason: 'id 0000000B' });
    const leaves = await leavesOf(registry);
    expect(await registry.leavesOf(id('0000000A'))).toEqual([
      { n: 1, leaf: leaves[1] },
      { n: 3, leaf: leaves[3] },
    ]);
    expect(await registry.leavesOf(id('0000000C'))).toEqual([]);
  });

  test('says in a seal how many units are in each state, what their rows are, and which id is next', async () => {
    await registry.reserve(id('00000001'));
    await registry.advance(id('00000001'), { to: 'void', reason: 'dropped' });
    await registry.reserve(id('00000003'));
    expect(await registry.seal()).toBe(5);
    const at = '2026-11-23T09:00:00.000Z';
    const rows =
      `{"batch":null,"certificate":null,"changedAt":"${at}","csr":null,"firmware":null,"generation":null,` +
      `"id":"00000001","locked":false,"probe":null,"proof":null,"reason":"dropped","reservedAt":"${at}",` +
      '"spki":null,"state":"void","uid":null}\n' +
      `{"batch":null,"certificate":null,"changedAt":"${at}","csr":null,"firmware":null,"generation":null,` +
      `"id":"00000003","locked":false,"probe":null,"proof":null,"reason":null,"reservedAt":"${at}",` +
      '"spki":null,"state":"reserved","uid":null}\n';
    expect((await told()).at(-1)).toMatchObject({
      ev: 'seal',
      reserved: 1,
      void: 1,
      installed: 0,
      next: '00000002',
      digest: sha(rows),
    });
  });

  test('says in a seal the hashes of request and certificate, never these themselves', async () => {
    await registry.reserve(id('00000001'));
    const csr = Uint8Array.of(0x30, 0x00);
    await registry.advance(id('00000001'), { to: 'keyed', csr, spkiSha256: sha('key') });
    const at = '2026-11-23T09:00:00.000Z';
    const row =
      `{"batch":null,"certificate":null,"changedAt":"${at}","csr":"${sha(csr)}","firmware":null,` +
      `"generation":null,"id":"00000001","locked":false,"probe":null,"proof":null,"reason":null,` +
      `"reservedAt":"${at}","spki":"${sha('key')}","state":"keyed","uid":null}\n`;
    await registry.seal();
    await registry.closeLeases();
    await registry.seal();
    const [first, second] = (await told()).filter(({ ev }) => ev === 'seal');
    expect(first).toMatchObject({ keyed: 1, next: '00000002', digest: sha(row) });
    expect(second).toMatchObject({ keyed: 1, next: null, digest: sha(row) });
  });

  test('opens epochs, each later than those before, with the checkpoint that it leaves', async () => {
    const before = { before: 1, size: 12, root: sha('root'), reason: 'disk died' };
    expect(await registry.epoch()).toBeUndefined();
    await registry.openEpoch({ epoch: 2, ...before });
    expect(await registry.epoch()).toBe(2);
    expect((await told()).at(-1)).toMatchObject({ ev: 'epoch.open', epoch: 2, ...before });
    for (const epoch of [1, 2])
      await expect(registry.openEpoch({ epoch, ...before })).rejects.toThrow('later');
    expect(await registry.epoch()).toBe(2);
    expect(await told()).toHaveLength(2);
  });

  test('says that the clock was set back before it says anything else', async () => {
    now -= 1;
    await registry.reserveNext();
    expect((await told()).slice(1)).toMatchObject([
      { ev: 'clock.set', was: '2026-11-23T09:00:00.000Z', t: '2026-11-23T08:59:59.999Z', n: 1 },
      { ev: 'unit.reserved', t: '2026-11-23T08:59:59.999Z', n: 2 },
    ]);
    expect(await registry.nodes(0, 0, 9)).toHaveLength(3);
  });
}

async function leavesOf(registry: Registry): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for await (const leaf of registry.leaves()) leaves.push(leaf);
  return leaves;
}
