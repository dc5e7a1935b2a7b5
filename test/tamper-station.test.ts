import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDeviceId } from '../src/device.ts';
import type { FindingCode } from '../src/log/finding.ts';
import { grow, type TreeNode } from '../src/log/merkle.ts';
import { verifyStation } from '../src/verify-log.ts';
import { makeSigner } from '../src/note.ts';
import { openStation } from '../src/station-directory.ts';
import { makeCheckpoint } from '../src/station-log.ts';
import { openRaw } from './registry/temporary-registry.ts';
import { canonical, keyOf, parse, rechained, signedHead } from './support/forge.ts';
import { file, sha, using, workedStation } from './support/worked-station.ts';

/*
 * The same on the station itself, by somebody who can write to its files with any SQLite program: triggers do not stop
 * that, they stop accidents.
 */

const places = ['first', 'middle', 'last'] as const;
type Place = (typeof places)[number];

let workshop: string;
let leaves: Buffer[];
let earlier: { database: string; head: string };
let count = 0;

const original = () => join(workshop, 'st07');

beforeAll(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'lineside-tamper-'));
  await workedStation(original(), 60);
  earlier = {
    database: join(workshop, 'earlier.db'),
    head: readFileSync(join(original(), 'log.head'), 'utf8'),
  };
  cpSync(join(original(), 'registry.db'), earlier.database);
  await using(original(), async ({ registry }) => {
    const id = await registry.reserveNext();
    await registry.advance(id, { to: 'void', reason: 'no board' });
    await makeCheckpoint(original(), file, registry);
    leaves = [];
    for await (const leaf of registry.leaves()) leaves.push(Buffer.from(leaf));
  });
});
afterAll(() => rm(workshop, { recursive: true }));

function copy(): string {
  const directory = join(workshop, `copy-${(count += 1)}`);
  cpSync(original(), directory, { recursive: true });
  return directory;
}

async function found(directory: string, since?: string): Promise<(readonly [FindingCode, unknown])[]> {
  const { findings } = await verifyStation(directory, since);
  return findings.map(({ code, facts }) => [code, facts['n'] ?? facts['id']]);
}

/** Writes to the registry past all its rules. */
async function write(directory: string, ...statements: readonly string[]): Promise<void> {
  const sql = await openRaw(join(directory, 'registry.db'));
  const triggers = await sql.all("SELECT name FROM sqlite_master WHERE type = 'trigger'");
  for (const { name } of triggers) await sql.exec(`DROP TRIGGER ${String(name)}`);
  for (const statement of statements) await sql.exec(statement);
  await sql.close();
}

const blob = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`;
const setLeaf = (n: number, leaf: Uint8Array) => `UPDATE log SET leaf = ${blob(leaf)} WHERE n = ${n}`;

/** Puts other entries into the registry, with or without the nodes over them. */
function replaced(forged: readonly Uint8Array[], nodes: 'with-nodes' | 'without-nodes'): string[] {
  const edge: TreeNode[] = [];
  const grown = forged.flatMap((leaf) => grow(edge, leaf));
  const rows = grown.map(({ level, place, hash }) => `(${level}, ${place}, ${blob(hash)})`);
  const log = forged.map((leaf, n) => `(${n}, ${blob(leaf)})`);
  return [
    `DELETE FROM log; INSERT INTO log VALUES ${log.join()}`,
    ...(nodes === 'with-nodes' ? [`DELETE FROM node; INSERT INTO node VALUES ${rows.join()}`] : []),
  ];
}

const indexAt = (place: Place) =>
  ({ first: 0, middle: Math.floor(leaves.length / 2), last: leaves.length - 1 })[place];
const entry = (n: number) => parse(leaves[n] ?? Buffer.from('{}'));
const changed = (n: number, change: (leaf: Buffer) => Buffer) =>
  leaves.map((leaf, index) => (index === n ? change(Buffer.from(leaf)) : leaf));

function flipped(leaf: Buffer): Buffer {
  leaf.writeUInt8(leaf.readUInt8(leaf.length - 20) ^ 0x01, leaf.length - 20);
  return leaf;
}

describe('an untouched station', () => {
  test('is not accused, and has nothing unsigned', async () => {
    expect(await verifyStation(original())).toMatchObject({
      findings: [],
      size: leaves.length,
      signed: leaves.length,
    });
  });

  test('is not accused of what came after its last checkpoint', async () => {
    const directory = copy();
    await using(directory, ({ registry }) => registry.reserveNext());
    expect(await verifyStation(directory)).toMatchObject({
      findings: [],
      signed: leaves.length,
      size: leaves.length + 1,
    });
  });

  test('is held to the checkpoint that QA has kept, too', async () => {
    const path = join(workshop, 'kept');
    writeFileSync(path, earlier.head);
    expect(await found(original(), path)).toEqual([]);
  });
});

describe('whoever writes to the registry, and', () => {
  describe.each(places)('at the %s entry', (place) => {
    test('flips a bit, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      await write(directory, setLeaf(n, flipped(Buffer.from(leaves[n] ?? []))));
      expect(await found(directory)).toEqual([['leaf-changed', n]]);
    });

    test('puts a space into the JSON, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      await write(directory, setLeaf(n, Buffer.from((leaves[n] ?? '').toString().replace(':', ': '))));
      expect(await found(directory)).toEqual([['leaf-changed', n]]);
    });

    test('deletes it, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      await write(directory, `DELETE FROM log WHERE n = ${n}`);
      const expected = place === 'last' ? [['rolled-back', undefined]] : [['leaf-missing', n]];
      expect(await found(directory)).toEqual(expected);
    });

    test('deletes it and moves the others up, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      const rest = leaves.filter((_, index) => index !== n);
      await write(directory, ...replaced(rest, 'without-nodes'));
      const expected = place === 'last' ? [['rolled-back', undefined]] : [['leaf-missing', n]];
      expect(await found(directory)).toEqual(expected);
    });

    test('puts it in once more, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      await write(directory, ...replaced([...leaves.slice(0, n + 1), ...leaves.slice(n)], 'without-nodes'));
      expect(await found(directory)).toEqual([['leaf-again', n + 1]]);
    });

    test('exchanges it with its neighbour, is found there', async () => {
      const directory = copy();
      const n = Math.min(indexAt(place), leaves.length - 2);
      const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = leaves.slice(n, n + 2);
      await write(directory, setLeaf(n, other), setLeaf(n + 1, one));
      expect(await found(directory)).toEqual([['leaf-missing', n]]);
    });

    test('changes its hash, or deletes it, is found there', async () => {
      for (const harm of ['UPDATE node SET hash = zeroblob(32)', 'DELETE FROM node']) {
        const directory = copy();
        await write(directory, `${harm} WHERE level = 0 AND place = ${indexAt(place)}`);
        const { findings } = await verifyStation(directory);
        expect(findings).toMatchObject([
          { code: 'node-changed', what: expect.stringContaining(`node 0/${indexAt(place)} in the registry`) },
        ]);
      }
    });

    test('changes it and all that was kept of it, is found by the root that was signed', async () => {
      const directory = copy();
      const forged = rechained(changed(indexAt(place), (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' })));
      await write(directory, ...replaced(forged, 'with-nodes'));
      expect(await found(directory)).toEqual([['root-differs', undefined]]);
    });

    test('does so and signs with another key, is found by the key', async () => {
      const directory = copy();
      const forged = rechained(changed(indexAt(place), (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' })));
      await write(directory, ...replaced(forged, 'with-nodes'));
      writeFileSync(join(directory, 'log.head'), signedHead(forged, makeSigner('st07')));
      expect(await found(directory)).toEqual([['checkpoint-signer', undefined]]);
    });

    test('does so and signs with the key of the station, is found by the checkpoint that QA has kept', async () => {
      const directory = copy();
      const size = Number(earlier.head.split('\n')[1]);
      const n = Math.min(indexAt(place), size - 1);
      const forged = rechained(changed(n, (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' })));
      await write(directory, ...replaced(forged, 'with-nodes'));
      writeFileSync(join(directory, 'log.head'), signedHead(forged, keyOf(original())));
      const path = join(workshop, 'kept');
      writeFileSync(path, earlier.head);
      expect(await found(directory)).toEqual([]); // without it
      expect(await found(directory, path)).toEqual([['forked', undefined]]);
    });

    test('makes up what a device did, and signs it, is found', async () => {
      const steps = [...leaves.keys()].filter((n) => entry(n)['ev'] === 'unit.flashed');
      const n = steps[{ first: 0, middle: 4, last: steps.length - 1 }[place]] ?? 0;
      const made: [object, FindingCode][] = [
        [{ id: 'ABCD1234' }, 'unit-unknown'],
        [{ from: 'keyed' }, 'step-illegal'],
        [{ t: '2020-01-01T00:00:00.000Z' }, 'clock-back'],
      ];
      for (const [change, code] of made) {
        const directory = copy();
        const forged = rechained(changed(n, (leaf) => canonical({ ...parse(leaf), ...change })));
        await write(directory, ...replaced(forged, 'with-nodes'));
        writeFileSync(join(directory, 'log.head'), signedHead(forged, keyOf(original())));
        expect((await found(directory))[0]).toEqual([code, n]);
      }
    });

    test('changes, deletes or adds a device past the log, is found by its id', async () => {
      const ids = ['00000001', '00000007', '0000000C'];
      const id = ids[places.indexOf(place)] ?? '';
      const where = `WHERE id = ${Number.parseInt(id, 16)}`;
      const harms: [string, FindingCode][] = [
        [`UPDATE unit SET csr = x'3000' ${where}`, 'row-differs'],
        [`UPDATE unit SET spki = '${sha('another')}' ${where}`, 'row-differs'],
        [`UPDATE unit SET uid = '0011223344556677' ${where}`, 'row-differs'],
        [`UPDATE unit SET changed_at = '2020-01-01T00:00:00.000Z' ${where}`, 'row-differs'],
        [`DELETE FROM unit ${where}`, 'row-missing'],
      ];
      for (const [harm, code] of harms) {
        const directory = copy();
        await write(directory, 'PRAGMA foreign_keys = OFF', harm);
        expect(await found(directory)).toEqual([[code, id]]);
      }
      const directory = copy();
      const added = `INSERT INTO unit (id, state, reserved_at, changed_at)
        SELECT ${4096 + places.indexOf(place)}, 'reserved', reserved_at, reserved_at FROM unit LIMIT 1`;
      await write(directory, added);
      expect(await found(directory)).toEqual([['row-unlogged', `0000100${places.indexOf(place)}`]]);
    });
  });

  test('exchanges a certificate, is found by its id', async () => {
    const directory = copy();
    await write(directory, "UPDATE certificate SET der = x'3000' WHERE unit = 3");
    expect(await found(directory)).toEqual([['row-differs', '00000003']]);
  });

  test('changes a node above the entries, is found there', async () => {
    for (const [level, place] of [
      [1, 0],
      [2, 7],
      [5, 0],
    ] as const) {
      const directory = copy();
      await write(
        directory,
        `UPDATE node SET hash = zeroblob(32) WHERE level = ${level} AND place = ${place}`,
      );
      const { findings } = await verifyStation(directory);
      expect(findings).toMatchObject([
        { code: 'node-changed', what: expect.stringContaining(`node ${level}/${place} `) },
      ]);
    }
  });

  test('cuts the end off, nodes and all, is found', async () => {
    for (const size of [1, Math.floor(leaves.length / 2), leaves.length - 1]) {
      const directory = copy();
      await write(directory, ...replaced(leaves.slice(0, size), 'with-nodes'));
      expect(await found(directory)).toEqual([['rolled-back', undefined]]);
      await expect(openStation(directory)).rejects.toMatchObject({ code: 'log-rolled-back', exit: 7 });
    }
  });

  test('puts an older registry in its place, is found', async () => {
    const directory = copy();
    cpSync(earlier.database, join(directory, 'registry.db'));
    expect(await found(directory)).toEqual([['rolled-back', undefined]]);
  });

  test('puts an older registry in its place with the head it had then, is found by the checkpoint QA has kept', async () => {
    const directory = copy();
    const path = join(workshop, 'kept');
    writeFileSync(path, readFileSync(join(directory, 'log.head')));
    cpSync(earlier.database, join(directory, 'registry.db'));
    writeFileSync(join(directory, 'log.head'), earlier.head);
    expect(await found(directory)).toEqual([]); // without it
    expect(await found(directory, path)).toEqual([['rolled-back', undefined]]);
  });
});

describe('whoever tampers with the head', () => {
  test.each([
    ['deletes it', (path: string) => rmSync(path), 'head-missing'],
    ['empties it', (path: string) => writeFileSync(path, ''), 'checkpoint-form'],
    [
      'puts an older size into it',
      (path: string) => edit(path, (text) => text.replace(`\n${leaves.length}\n`, '\n9\n')),
      'checkpoint-signature',
    ],
    [
      'signs another with another key',
      (path: string) => writeFileSync(path, signedHead(leaves, makeSigner('st07'))),
      'checkpoint-signer',
    ],
    [
      'signs one of a later epoch',
      (path: string) => writeFileSync(path, signedHead(leaves, keyOf(original()), 'lineside/st07/2')),
      'epoch-behind',
    ],
  ] as const)('%s, is found, and the station does not open', async (_, harm, code) => {
    const directory = copy();
    harm(join(directory, 'log.head'));
    expect(await found(directory)).toEqual([[code, undefined]]);
    await expect(openStation(directory)).rejects.toMatchObject({ exit: 7 });
  });

  test('of another station, keeps it from being verified', async () => {
    const directory = copy();
    writeFileSync(join(directory, 'log.head'), signedHead(leaves, keyOf(original()), 'lineside/st08/1'));
    await expect(found(directory)).rejects.toMatchObject({ code: 'log-of-another', exit: 6 });
  });
});

describe('a station that cannot be verified is not called tampered with', () => {
  test.each([
    ['its registry is gone', (directory: string) => rmSync(join(directory, 'registry.db')), 6],
    [
      'its registry is no database',
      (directory: string) => writeFileSync(join(directory, 'registry.db'), 'no'),
      6,
    ],
    ['its key is gone', (directory: string) => rmSync(join(directory, 'station.key')), 3],
  ] as const)('when %s', async (_, harm, exit) => {
    const directory = copy();
    harm(directory);
    await expect(found(directory)).rejects.toMatchObject({ exit });
  });
});

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

test('the units of the tables above are there', async () => {
  await using(original(), async ({ registry }) => {
    for (const id of ['00000001', '00000007', '0000000C'])
      expect(await registry.find(parseDeviceId(id))).toBeDefined();
  });
});
