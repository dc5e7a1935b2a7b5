import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { backupRegistry } from '../src/backup-registry.ts';
import { parseLease } from '../src/device.ts';
import { verifyStation } from '../src/verify-log.ts';
import { type Restoring, restoreRegistry } from '../src/restore-registry.ts';
import { createStation } from '../src/station-directory.ts';
import { makeCheckpoint } from '../src/station-log.ts';
import { openRaw } from './registry/temporary-registry.ts';
import { keyOf, parse, sha256, signedHead } from './support/forge.ts';
import { treeHash } from './support/rfc6962.ts';
import { file, using, verifiedUnit } from './support/worked-station.ts';

let workshop: string;
let station: string;

beforeEach(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'lineside-backup-'));
  onTestFinished(() => rm(workshop, { recursive: true }));
  station = join(workshop, 'st07');
  await createStation(station, file, parseLease('00000001-000000FF'));
});

const path = (name: string) => join(workshop, name);
const database = () => join(station, 'registry.db');
const backup = (name: string) => using(station, ({ registry }) => backupRegistry(registry, path(name)));
const work = () => using(station, ({ registry }) => verifiedUnit(registry));
const sign = () => using(station, ({ registry }) => makeCheckpoint(station, file, registry));
const restore = (name: string, how: Partial<Restoring> = {}) =>
  restoreRegistry(station, path(name), { reason: 'the disk died', over: 'lost-or-damaged', ...how });
const head = () => readFileSync(join(station, 'log.head'), 'utf8');

async function leavesNow(): Promise<Buffer[]> {
  return using(station, async ({ registry }) => {
    const leaves: Buffer[] = [];
    for await (const leaf of registry.leaves()) leaves.push(Buffer.from(leaf));
    return leaves;
  });
}

async function evidence(since?: string): Promise<string[]> {
  const { findings } = await verifyStation(station, since);
  return findings.filter(({ weight }) => weight === 'evidence').map(({ code }) => code);
}

describe('a backup', () => {
  test('is one file for its owner alone, a sound registry, and named in the log by its SHA-256', async () => {
    await work();
    const before = await leavesNow();
    const { sha256: told, size } = await backup('backup.db');
    const bytes = readFileSync(path('backup.db'));
    expect(told).toBe(sha256(bytes).toString('hex'));
    expect(size).toBe(before.length);
    expect(statSync(path('backup.db')).mode & 0o777).toBe(0o600);
    expect(readdirSync(workshop).sort()).toEqual(['backup.db', 'st07']);
    expect(parse((await leavesNow()).at(-1) ?? Buffer.alloc(0))).toMatchObject({
      ev: 'backup.made',
      backup: told,
      size,
    });
    const sql = await openRaw(path('backup.db'));
    expect(await sql.all('SELECT count(*) AS leaves FROM log')).toEqual([{ leaves: before.length }]);
    expect(await sql.all('SELECT count(*) AS units FROM unit')).toEqual([{ units: 1 }]);
    await sql.close();
  });

  test('holds neither the key of the station nor its head', async () => {
    await backup('backup.db');
    const bytes = readFileSync(path('backup.db'));
    const secret = readFileSync(join(station, 'station.key'), 'utf8').split('\n')[1] ?? '';
    expect(bytes.includes(secret)).toBe(false);
    expect(bytes.includes(Buffer.from(secret, 'base64').subarray(-32))).toBe(false);
    expect(bytes.includes(head().trimEnd().split(' ').at(-1) ?? '')).toBe(false);
    expect(bytes.includes('station.init')).toBe(true); // control
  });

  test('takes the place of nothing', async () => {
    writeFileSync(path('backup.db'), 'something');
    await expect(backup('backup.db')).rejects.toMatchObject({ code: 'file-exists' });
    expect(readFileSync(path('backup.db'), 'utf8')).toBe('something');
  });

  test('that cannot be written leaves nothing behind, and the registry at work', async () => {
    await using(station, async ({ registry }) => {
      const nowhere = join(workshop, 'nowhere', 'backup.db');
      await expect(backupRegistry(registry, nowhere)).rejects.toMatchObject({
        code: 'backup-failed',
        exit: 6,
      });
      await expect(registry.copyTo(join(workshop, 'nowhere', 'x'))).rejects.toMatchObject({
        code: 'backup-failed',
      });
      await registry.reserveNext();
    });
    expect(readdirSync(workshop)).toEqual(['st07']);
  });
});

describe('a restored registry', () => {
  test('goes on in a new epoch, whose first entry says what was signed last, and why', async () => {
    await work();
    await backup('backup.db');
    await work();
    const last = await sign();
    rmSync(database());
    const { origin, size } = await restore('backup.db');
    expect(origin).toBe('lineside/st07/2');
    const leaves = await leavesNow();
    const inBackup = leaves.findIndex(
      (leaf) => parse(leaf)['ev'] === 'epoch.open' && parse(leaf)['epoch'] === 2,
    );
    expect(parse(leaves[inBackup] ?? Buffer.alloc(0))).toMatchObject({
      before: 1,
      size: last.size,
      root: Buffer.from(last.root).toString('hex'),
      reason: 'the disk died',
    });
    expect(size).toBe(leaves.length);
    expect(await evidence()).toEqual([]);
    expect(head()).toBe(signedHead(leaves, keyOf(station), 'lineside/st07/2'));
  });

  test('gives no id of the leases of before; a new lease helps', async () => {
    await backup('backup.db');
    await work();
    rmSync(database());
    await restore('backup.db');
    await using(station, async ({ registry }) => {
      await expect(registry.reserveNext()).rejects.toMatchObject({ code: 'lease-exhausted' });
    });
    rmSync(database());
    await restore('backup.db', { lease: parseLease('00000100-000001FF') });
    await using(station, async ({ registry }) => expect(await registry.reserveNext()).toBe('00000100'));
    expect(await evidence()).toEqual([]);
  });

  test('may not have a lease that overlaps one of before, and then nothing is changed', async () => {
    await backup('backup.db');
    rmSync(database());
    const before = head();
    const lease = parseLease('000000FF-000001FF');
    await expect(restore('backup.db', { lease })).rejects.toMatchObject({ code: 'lease-overlaps' });
    expect(head()).toBe(before);
    expect(readdirSync(station).filter((name) => name.startsWith('registry'))).toEqual([]);
  });

  test('is not put over a sound one, unless that is said; the one of before is kept', async () => {
    await backup('backup.db');
    await work();
    const before = await leavesNow();
    await expect(restore('backup.db')).rejects.toMatchObject({ code: 'registry-sound', exit: 8 });
    expect(await leavesNow()).toEqual(before);
    await restore('backup.db', { over: 'sound' });
    const [kept = ''] = readdirSync(station).filter((name) => name.startsWith('registry.db.before-'));
    const sql = await openRaw(join(station, kept));
    expect(await sql.all('SELECT count(*) AS leaves FROM log')).toEqual([{ leaves: before.length }]);
    await sql.close();
  });

  test.each([
    ['damaged', () => truncateSync(database(), 9000)],
    ['put back by hand', () => copyFileSync(path('backup.db'), database())],
  ])('takes the place of one that was %s', async (_, harm) => {
    await backup('backup.db');
    await work();
    await sign();
    harm();
    await restore('backup.db');
    expect(await evidence()).toEqual([]);
  });

  test('tells QA what it has lost of what they had seen', async () => {
    await backup('backup.db');
    await work();
    await sign();
    writeFileSync(path('seen'), head());
    rmSync(database());
    await restore('backup.db');
    expect(await evidence(path('seen'))).toEqual(['entries-lost']);
    writeFileSync(path('seen'), head());
    await work().catch(() => {}); // its leases are closed
    expect(await evidence(path('seen'))).toEqual([]);
  });

  test('that has lost nothing that QA had seen is not accused', async () => {
    await work();
    await sign();
    writeFileSync(path('seen'), head());
    await backup('backup.db');
    rmSync(database());
    await restore('backup.db');
    expect(await evidence(path('seen'))).toEqual([]);
  });

  test.each([
    ['that is no file', () => {}, 'backup-damaged'],
    ['that is no database', () => writeFileSync(path('bad'), 'no'), 'backup-damaged'],
    [
      'that was cut',
      () => (copyFileSync(path('backup.db'), path('bad')), truncateSync(path('bad'), 8192)),
      'backup-damaged',
    ],
  ])('is not made from a backup %s, and nothing is changed', async (_, make, code) => {
    await backup('backup.db');
    rmSync(database());
    make();
    const before = head();
    await expect(restore('bad')).rejects.toMatchObject({ code });
    expect(head()).toBe(before);
    expect(readdirSync(station).sort()).toEqual(['log.head', 'station.json', 'station.key', 'station.vkey']);
  });

  test('is not made from a backup of another station, or of another history of this one', async () => {
    await backup('backup.db');
    rmSync(database());
    const other = join(workshop, 'st08');
    await createStation(other, { ...file, name: 'st08' }, parseLease('00000001-000000FF'));
    copyFileSync(join(other, 'registry.db'), path('st08.db'));
    await expect(restore('st08.db')).rejects.toMatchObject({ code: 'backup-foreign', exit: 8 });
    const twin = join(workshop, 'twin');
    await createStation(twin, file, parseLease('00000001-000000FF'));
    copyFileSync(join(twin, 'registry.db'), path('twin.db'));
    await expect(restore('twin.db')).rejects.toMatchObject({ code: 'log-rewritten', exit: 7 });
  });
});

describe('a station that has lost its head', () => {
  test('is restored only with a checkpoint that somebody else has', async () => {
    await work();
    await sign();
    writeFileSync(path('seen'), head());
    await backup('backup.db');
    for (const name of ['log.head', 'registry.db']) rmSync(join(station, name));
    await expect(restore('backup.db')).rejects.toMatchObject({ code: 'log-head-missing', exit: 7 });
    expect(existsSync(database())).toBe(false);
    const { origin } = await restore('backup.db', { head: path('seen') });
    expect(Number(origin.split('/')[2])).toBeGreaterThan(1_700_000_000);
    expect(await evidence(path('seen'))).toEqual([]);
  });
});

/*
 * The proof that a restored backup never signs a fork: whatever is backed up, restored, put back by hand or cut off in
 * the middle, no two checkpoints of one origin contradict each other.
 */
const acts = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('work' as const) }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('sign' as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('backup' as const) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('restore' as const), which: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('by-hand' as const), which: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('lose-head' as const) }) },
);

test('nothing that is signed ever contradicts what was signed before', async () => {
  interface Signed {
    readonly note: string;
    readonly leaves: readonly Buffer[];
  }
  let epochs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 4, maxLength: 12 }), async (sequence) => {
      rmSync(station, { recursive: true, force: true });
      await createStation(station, file, parseLease('00000001-000000FF'));
      const signed: Signed[] = [];
      const backups: string[] = [];
      const remember = async (note: string) => {
        signed.push({ note, leaves: await leavesNow() });
      };
      await remember(head());
      const lease = (n: number) => {
        const first = 0x1000 + n * 16;
        const ends = [first, first + 15].map((id) => id.toString(16).toUpperCase().padStart(8, '0'));
        return parseLease(ends.join('-'));
      };
      for (const [step, act] of sequence.entries()) {
        if (act.act === 'work') await work().catch(() => {});
        if (act.act === 'sign')
          await sign().then(
            ({ note }) => remember(note),
            () => {},
          );
        if (act.act === 'lose-head') rmSync(join(station, 'log.head'), { force: true });
        if (act.act === 'backup') {
          const name = `backup-${backups.length}-${step}.db`;
          rmSync(path(name), { force: true });
          await backup(name).then(
            () => backups.push(name),
            () => {},
          );
        }
        if (!('which' in act) || backups.length === 0) continue;
        const chosen = backups[act.which % backups.length] ?? '';
        if (act.act === 'by-hand') copyFileSync(path(chosen), database());
        else {
          writeFileSync(path('seen'), signed.at(-1)?.note ?? '');
          const how = { over: 'sound', lease: lease(step), head: path('seen') } as const;
          await restore(chosen, how).then(
            ({ note }) => remember(note),
            () => {},
          );
        }
      }
      for (const one of signed)
        for (const other of signed) {
          const [origin, size, root] = one.note.split('\n');
          if (other.note.split('\n')[0] !== origin || other.leaves.length < Number(size)) continue;
          expect(treeHash(other.leaves.slice(0, Number(size))).toString('base64')).toBe(root);
        }
      epochs += new Set(signed.map(({ note }) => note.split('\n')[0])).size - 1;
    }),
    { numRuns: 12 },
  );
  expect(epochs).toBeGreaterThan(0); // else it has proven nothing
});
