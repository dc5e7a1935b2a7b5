import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite3 from 'sqlite3';
import { expect, test } from 'vitest';
import { scratch, station } from '../support/program.ts';
import { contents, refusal } from './refusal.ts';

const file = { schema: 1, name: 'st07', chip: 'nrf52840', probes: ['a=sim:4444'] };

test.for(['registry list', 'provision', 'inspect'])('no station, no %s', async (command) => {
  const workshop = await scratch();
  await refusal('station-missing', ['--station', join(workshop, 'nowhere'), ...command.split(' ')]);
  await refusal('station-missing', ['--station', workshop, ...command.split(' ')]);
  expect(contents(workshop)).toEqual([]);
});

test.for([
  ['is cut short', '{"schema": 1, "na', 'JSON'],
  ['is empty', '', 'JSON'],
  ['is a list', [], 'schema: missing'],
  ['has an unknown field', { ...file, operator: 'me' }, 'operator: unknown field'],
  ['misses a field', { ...file, chip: undefined }, 'chip: missing'],
  ['has a number for a name', { ...file, name: 7 }, 'name: '],
  ['has a list of numbers for probes', { ...file, probes: [4444] }, 'probes.0: '],
  ['is of a later schema', { ...file, schema: 2 }, 'schema: '],
  ['names an unknown chip', { ...file, chip: 'nrf52' }, 'no chip is called "nrf52"'],
  ['names a probe badly', { ...file, probes: ['4444'] }, '"4444" is not a probe'],
  ['names a probe twice', { ...file, probes: ['a=sim:1', 'a=sim:2'] }, 'two probes are called a'],
  [
    'has 65 probes',
    { ...file, probes: Array.from({ length: 65 }, (_, n) => `p${n}=sim:${n + 1}`) },
    'probes: ',
  ],
] as const)('a station file that %s is refused', async ([, content, reason]) => {
  const directory = await scratch();
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(join(directory, 'station.json'), text);
  const before = contents(directory);
  expect(await refusal('station-invalid', ['--station', directory, 'provision'])).toContain(reason);
  expect(contents(directory)).toEqual(before);
});

test('a directory in place of the station file is refused', async () => {
  const directory = await scratch();
  await mkdir(join(directory, 'station.json'));
  await refusal('station-invalid', ['--station', directory, 'registry', 'list']);
});

test('a station never starts again with an empty registry', async () => {
  const directory = await station([]);
  await rename(join(directory, 'registry.db'), join(directory, 'elsewhere'));
  const before = contents(directory);
  await refusal('registry-missing', ['--station', directory, 'registry', 'list']);
  expect(contents(directory)).toEqual(before);
});

test('a registry of a newer lineside is left as it is', async () => {
  const directory = await station([]);
  await execute(join(directory, 'registry.db'), "INSERT INTO knex_migrations (name) VALUES ('0099-batches')");
  const message = await refusal('registry-newer', ['--station', directory, 'registry', 'list']);
  expect(message).toContain('0099-batches');
});

test.for([
  [
    'text',
    (path: string) => writeFile(path, 'not a database, but long enough to look like one\n'.repeat(50)),
  ],
  ['the station file', (path: string) => copyFile(path.replace('registry.db', 'station.json'), path)],
  ['another program’s database', (path: string) => execute(path, 'PRAGMA application_id = 7')],
] as const)('%s in place of the registry is refused', async ([, replace]) => {
  const directory = await station([]);
  await replace(join(directory, 'registry.db'));
  await refusal('registry-damaged', ['--station', directory, 'registry', 'list']);
});

function execute(path: string, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(path);
    database.exec(sql, (error) => (error ? reject(error) : database.close(() => resolve())));
  });
}
