import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDeviceId, parseLease } from '../../src/device.ts';
import * as before from '../../src/registry/sqlite/migrations/0001-units.ts';
import * as batches from '../../src/registry/sqlite/migrations/0002-batches.ts';
import { registryStore } from '../../src/registry/sqlite/store.ts';
import { makeDurable, mustNotResetWal } from '../../src/sqlite/pragmas.ts';
import { openStatements } from '../../src/sqlite/statements.ts';
import { createRegistry, openRegistry } from '../../src/registry/sqlite.ts';
import { batch } from '../contract/batches.ts';
import { registryContract } from '../contract/registry.ts';
import { clock, leaf, openRaw, temporaryDirectory } from './temporary-registry.ts';

registryContract('the SQLite registry', async () => {
  const path = join(await temporaryDirectory(), 'registry.db');
  let made = false;
  return {
    open: (encodeLeaf, time) => {
      const opened = made ? openRegistry(path, encodeLeaf, time) : createRegistry(path, encodeLeaf, time);
      made = true;
      return opened;
    },
  };
});

async function emptyRegistry(): Promise<string> {
  const path = join(await temporaryDirectory(), 'registry.db');
  const registry = await createRegistry(path, leaf, clock);
  await registry.addLease(parseLease('00000001-00000FFF'));
  await registry.close();
  return path;
}

describe('creating a registry', () => {
  test('makes a file only its owner can read, and the WAL beside it too', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const registry = await createRegistry(path, leaf, clock);
    for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    await registry.close();
  });

  test('never takes the place of one that is there', async () => {
    const path = await emptyRegistry();
    const before = await readFile(path);
    await expect(createRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'station-exists' });
    expect(await readFile(path)).toEqual(before);
  });

  test('in a directory that is not there is refused', async () => {
    const path = join(await temporaryDirectory(), 'nowhere', 'registry.db');
    await expect(createRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'directory-unwritable' });
  });
});

describe('opening a registry', () => {
  test('that is missing is refused and makes none', async () => {
    const directory = await temporaryDirectory();
    await expect(openRegistry(join(directory, 'registry.db'), leaf, clock)).rejects.toMatchObject({
      code: 'registry-missing',
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test('that a newer version wrote is refused by the name of the migration, and nothing is changed', async () => {
    const path = await emptyRegistry();
    const raw = await openRaw(path);
    await raw.exec(`INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('0099-future', 2, 0);
      PRAGMA user_version = 3; PRAGMA wal_checkpoint(TRUNCATE)`);
    await raw.close();
    const before = await readFile(path);
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({
      code: 'registry-newer',
      facts: { migration: '0099-future' },
    });
    expect(await readFile(path)).toEqual(before);
  });

  test('of an older version is brought up to date', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const raw = await openRaw(path);
    await raw.exec(`PRAGMA application_id = 0x4c535247; CREATE TABLE knex_migrations
      (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, batch INTEGER, migration_time TEXT)`);
    await raw.close();
    const registry = await openRegistry(path, leaf, clock);
    await registry.addLease(parseLease('00000001-00000FFF'));
    expect(await registry.reserveNext()).toBe('00000001');
    await registry.close();
    await (await openRegistry(path, leaf, clock)).close();
  });

  test('from before there were batches keeps its units, which can then be exported', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const raw = await openRaw(path);
    const statements = before.statements.map((statement) => `${statement};`).join('\n');
    await raw.exec(`PRAGMA application_id = 0x4c535247; PRAGMA user_version = 1; CREATE TABLE knex_migrations
      (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, batch INTEGER, migration_time TEXT);
      INSERT INTO knex_migrations (name, batch) VALUES ('${before.name}', 1); ${statements}
      INSERT INTO lease (first, last, next) VALUES (1, 16, 2);
      INSERT INTO unit (id, state, reserved_at, changed_at)
        VALUES (1, 'reserved', '2026-11-23T09:00:00.000Z', '2026-11-23T09:00:00.000Z');
      UPDATE unit SET state = 'keyed', csr = x'3000', spki = '${'0'.repeat(64)}';
      UPDATE unit SET state = 'flashing', uid = '00000001', probe = 'a'; UPDATE unit SET state = 'flashed';
      UPDATE unit SET state = 'verified', proof = 'read-back'`);
    await raw.close();
    const registry = await openRegistry(path, leaf, clock);
    expect(await registry.find(parseDeviceId('00000001'))).toMatchObject({ state: 'verified', batch: null });
    await registry.exportBatch(batch(1), [parseDeviceId('00000001')], new Map());
    expect(await registry.find(parseDeviceId('00000001'))).toMatchObject({ state: 'exported', batch: 1 });
    await registry.close();
  });

  test('from before there was a tree gets its nodes with its next leaf', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const raw = await openRaw(path);
    const old = [before, batches].flatMap(({ statements }) => statements);
    const leaves = Array.from({ length: 2500 }, (_, n) => `(${n}, CAST('{"n":${n}}' AS BLOB))`);
    await raw.exec(`PRAGMA application_id = 0x4c535247; PRAGMA user_version = 2; CREATE TABLE knex_migrations
      (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, batch INTEGER, migration_time TEXT);
      INSERT INTO knex_migrations (name, batch) VALUES ('${before.name}', 1), ('${batches.name}', 2);
      ${old.join(';\n')}; INSERT INTO log VALUES ${leaves.join()}`);
    await raw.close();
    const registry = await openRegistry(path, { ...leaf, foreword: () => undefined }, clock);
    expect(await registry.nodes(0, 0, 10_000)).toEqual([]);
    await registry.addLease(parseLease('00000001-00000FFF'));
    expect(await registry.nodes(0, 0, 10_000)).toEqual(await hashesOf(registry.leaves()));
    expect(await registry.nodes(11, 0, 2)).toHaveLength(1);
    await registry.close();
  });

  test('whose version is not that of its migrations is refused', async () => {
    const path = await emptyRegistry();
    const raw = await openRaw(path);
    await raw.exec('PRAGMA user_version = 7');
    await raw.close();
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'registry-damaged' });
  });

  test('of another program is refused', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const raw = await openRaw(path);
    await raw.exec('CREATE TABLE unit (id INTEGER)');
    await raw.close();
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'registry-damaged' });
  });

  test('that is empty, or no database, is refused', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    for (const content of ['', 'id;state\n00000001;verified\n'.repeat(400)]) {
      await writeFile(path, content);
      await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'registry-damaged' });
      expect(await readFile(path, 'utf8')).toBe(content);
    }
  });

  test('that is a directory is refused', async () => {
    const path = join(await temporaryDirectory(), 'registry.db');
    await mkdir(path);
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'directory-unwritable' });
  });

  test('with a page overwritten, or cut off, is refused; whole it opens', async () => {
    const path = await emptyRegistry();
    const whole = await openRegistry(path, leaf, clock);
    for (let i = 0; i < 60; i++) await whole.reserveNext();
    await whole.close();
    for (const harm of [overwriteLastPage, cutLastPage]) {
      const copy = `${path}.${harm.name}`;
      await copyFile(path, copy);
      await harm(copy);
      await expect(openRegistry(copy, leaf, clock)).rejects.toMatchObject({ code: 'registry-damaged' });
    }
    await (await openRegistry(path, leaf, clock)).close();
  });

  test('a second time in one process is refused', async () => {
    const path = await emptyRegistry();
    const first = await openRegistry(path, leaf, clock);
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'registry-busy' });
    await first.reserveNext();
    await first.close();
    await (await openRegistry(path, leaf, clock)).close();
  });
});

async function hashesOf(leaves: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for await (const bytes of leaves)
    hashes.push(createHash('sha256').update(Buffer.of(0)).update(bytes).digest());
  return hashes;
}

async function overwriteLastPage(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(4096, 0xff), 0, 4096, size - 4096);
  await file.close();
}

async function cutLastPage(path: string): Promise<void> {
  await truncate(path, (await stat(path)).size - 4096);
}

describe('durability', () => {
  test('the file says WAL, its application id and its version (SQLite file format 1.3)', async () => {
    const header = await readFile(await emptyRegistry());
    expect([header[18], header[19]]).toEqual([2, 2]);
    expect(header.toString('latin1', 68, 72)).toBe('LSRG');
    expect(header.readUInt32BE(60)).toBe(3);
  });

  test('a setting that did not take is refused: a database in memory has no WAL', async () => {
    const sql = await openStatements(':memory:');
    await expect(makeDurable(registryStore, sql)).rejects.toMatchObject({
      code: 'registry-unsafe',
      facts: { setting: 'journal_mode', found: 'memory', expected: 'wal' },
    });
    await sql.close();
  });

  test.each(['3.6.23', '3.7.0', '3.40.1', '3.51.2'])('SQLite %s is refused', (version) => {
    expect(() => mustNotResetWal(registryStore.errors, version)).toThrow(`the SQLite version is ${version}`);
  });

  test.each(['3.51.3', '3.52.0', '3.53.2', '4.0.0'])('SQLite %s is accepted', (version) => {
    expect(() => mustNotResetWal(registryStore.errors, version)).not.toThrow();
  });
});
