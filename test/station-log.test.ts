import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseStation } from '../src/config.ts';
import { parseDeviceId, parseLease } from '../src/device.ts';
import { logSigner, logVerifier, openCheckpoint } from '../src/log/checkpoint.ts';
import { leafHash } from '../src/log/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../src/log/proof.ts';
import { openProof, parseProof } from '../src/log/tlog-proof.ts';
import { makeSigner, readVerifier } from '../src/note.ts';
import { createStation, openStation, type Station } from '../src/station-directory.ts';
import {
  consistencyProof,
  inclusionProof,
  makeCheckpoint,
  requestProver,
  rootAt,
  type SignedCheckpoint,
  signHead,
} from '../src/station-log.ts';
import { openRaw } from './registry/temporary-registry.ts';
import { addUnits } from './support/verified-units.ts';
import { treeHash } from './support/rfc6962.ts';

const file = parseStation('st07', 'nrf52840', []);

async function newStation(): Promise<string> {
  const workshop = await mkdtemp(join(tmpdir(), 'lineside-log-'));
  onTestFinished(() => rm(workshop, { recursive: true }));
  const directory = join(workshop, 'st07');
  await createStation(directory, file, parseLease('00000001-00000010'));
  return directory;
}

async function using<T>(directory: string, work: (station: Station) => Promise<T>): Promise<T> {
  const station = await openStation(directory);
  try {
    return await work(station);
  } finally {
    await station.registry.close();
  }
}

const checkpoint = (directory: string) =>
  using(directory, ({ registry }) => makeCheckpoint(directory, file, registry));
const reserve = (directory: string, count = 1) =>
  using(directory, async ({ registry }) => {
    for (let made = 0; made < count; made++) await registry.reserveNext();
  });
const headOf = (directory: string) => readFile(join(directory, 'log.head'), 'utf8');
const database = (directory: string) => join(directory, 'registry.db');

async function leavesOf({ registry }: Station): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = [];
  for await (const leaf of registry.leaves()) leaves.push(leaf);
  return leaves;
}

/** What QA or the CA has: the verifier key that was carried to them. */
async function verifierOf(directory: string) {
  return logVerifier(readVerifier((await readFile(join(directory, 'station.vkey'), 'utf8')).trimEnd()), 1);
}

describe('a checkpoint of a station', () => {
  test('is the root of all leaves, the last of them a seal, signed for whoever has the key of the station', async () => {
    const directory = await newStation();
    await reserve(directory, 3);
    const { note, size, root } = await checkpoint(directory);
    const leaves = await using(directory, leavesOf);
    expect(size).toBe(leaves.length);
    expect(root).toEqual(treeHash(leaves));
    expect(JSON.parse(Buffer.from(leaves.at(-1) ?? []).toString())).toMatchObject({
      ev: 'seal',
      reserved: 3,
    });
    const opened = openCheckpoint(Buffer.from(note), await verifierOf(directory));
    expect(opened).toMatchObject({ origin: 'lineside/st07/1', size, root });
  });

  test('is kept as the head, for its owner alone, and there is one from the first day', async () => {
    const directory = await newStation();
    expect(openCheckpoint(Buffer.from(await headOf(directory)), await verifierOf(directory)).size).toBe(6);
    const { note } = await checkpoint(directory);
    expect(await headOf(directory)).toBe(note);
    expect((await stat(join(directory, 'log.head'))).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).filter((name) => name.startsWith('log.head'))).toEqual(['log.head']);
  });

  test('extends every one before it, and proves so', async () => {
    const directory = await newStation();
    const made: SignedCheckpoint[] = [];
    for (const count of [0, 1, 5]) {
      await reserve(directory, count);
      made.push(await checkpoint(directory));
    }
    await using(directory, async ({ registry }) => {
      for (const older of made)
        for (const newer of made.filter(({ size }) => size >= older.size)) {
          const proof = await consistencyProof(registry, older.size, newer.size);
          expect(verifyConsistency(older, newer, proof)).toBe(true);
        }
    });
  });

  test('covers each leaf, and a proof for each says so', async () => {
    const directory = await newStation();
    await reserve(directory, 4);
    const { size, root } = await checkpoint(directory);
    await using(directory, async (station) => {
      for (const [index, leaf] of (await leavesOf(station)).entries()) {
        const proof = await inclusionProof(station.registry, index, size);
        expect(verifyInclusion(leafHash(leaf), index, size, proof, root)).toBe(true);
      }
    });
  });

  test('is not given out if the head cannot be written', async () => {
    const directory = await newStation();
    const before = await headOf(directory);
    await using(directory, async ({ registry }) => {
      const nowhere = join(directory, 'nowhere');
      const signer = logSigner(makeSigner('st07'), 1);
      await expect(signHead(nowhere, signer, 4, await rootAt(registry, 4))).rejects.toMatchObject({
        code: 'directory-unwritable',
      });
    });
    expect(await headOf(directory)).toBe(before);
  });

  test('carries a proof for the request of a unit, by which the CA finds the request in the log', async () => {
    const directory = await newStation();
    await addUnits(directory, 2);
    await using(directory, async ({ registry }) => {
      const signed = await makeCheckpoint(directory, file, registry);
      const proof = parseProof(await requestProver(registry, signed)(parseDeviceId('00000002')));
      expect(openProof(proof, await verifierOf(directory))).toMatchObject({ size: signed.size });
      const unit = await registry.find(parseDeviceId('00000002'));
      expect(JSON.parse(Buffer.from(proof.leaf).toString())).toMatchObject({
        ev: 'unit.keyed',
        id: '00000002',
        spki: unit?.spkiSha256,
      });
      const none = { code: 'unit-not-logged' };
      await expect(requestProver(registry, signed)(parseDeviceId('00000009'))).rejects.toMatchObject(none);
      const early = { ...signed, size: 5 };
      await expect(requestProver(registry, early)(parseDeviceId('00000002'))).rejects.toMatchObject(none);
    });
  });
});

describe('a station does not open', () => {
  test('with a registry that was rolled back, and with the right one it does', async () => {
    const directory = await newStation();
    await copyFile(database(directory), `${directory}.backup`);
    await reserve(directory, 2);
    const { size } = await checkpoint(directory);
    await copyFile(database(directory), `${directory}.now`);
    await copyFile(`${directory}.backup`, database(directory));
    await expect(openStation(directory)).rejects.toMatchObject({
      code: 'log-rolled-back',
      exit: 7,
      facts: { signed: `${size} were signed` },
    });
    await copyFile(`${directory}.now`, database(directory));
    await checkpoint(directory);
  });

  test('with a registry that went another way, even if that is longer', async () => {
    const directory = await newStation();
    await copyFile(database(directory), `${directory}.backup`);
    await reserve(directory, 1);
    await checkpoint(directory);
    const head = await headOf(directory);
    await copyFile(`${directory}.backup`, database(directory));
    await writeFile(join(directory, 'log.head'), await firstHead(directory));
    await reserve(directory, 9);
    await writeFile(join(directory, 'log.head'), head);
    await expect(openStation(directory)).rejects.toMatchObject({ code: 'log-rewritten', exit: 7 });
  });

  test('with a node of the tree changed or gone below the head', async () => {
    for (const harm of [
      'UPDATE node SET hash = zeroblob(32) WHERE level = 2',
      'DELETE FROM node WHERE level = 2',
    ]) {
      const directory = await newStation();
      const sql = await openRaw(database(directory));
      await sql.exec(`DROP TRIGGER node_never_UPDATE; DROP TRIGGER node_never_DELETE; ${harm}`);
      await sql.close();
      await expect(openStation(directory)).rejects.toMatchObject({ code: 'log-rewritten', exit: 7 });
    }
  });

  test('without its head', async () => {
    const directory = await newStation();
    await rm(join(directory, 'log.head'));
    await expect(openStation(directory)).rejects.toMatchObject({ code: 'log-head-missing', exit: 7 });
    expect(await readdir(directory)).not.toContain('log.head');
  });

  test.each([
    ['that is no checkpoint', async () => 'lineside/st07/1\n4\n'],
    ['of another station', async () => headOf(await newStation())],
    ['that was changed', async (directory: string) => (await headOf(directory)).replace('\n6\n', '\n5\n')],
  ])('with a head %s', async (_, other) => {
    const directory = await newStation();
    await writeFile(join(directory, 'log.head'), await other(directory));
    await expect(openStation(directory)).rejects.toMatchObject({ code: 'log-head-foreign', exit: 7 });
  });
});

/** The head that a station like this one has on its first day. */
async function firstHead(directory: string): Promise<string> {
  const { readSigner } = await import('../src/note.ts');
  const signer = logSigner(readSigner('st07', await readFile(join(directory, 'station.key'), 'utf8')), 1);
  const raw = await openRaw(`${directory}.backup`);
  const rows = await raw.all('SELECT leaf FROM log WHERE n < 4 ORDER BY n');
  await raw.close();
  const { signCheckpoint } = await import('../src/log/checkpoint.ts');
  const root = treeHash(rows.map(({ leaf }) => leaf as Buffer));
  return signCheckpoint({ origin: 'lineside/st07/1', size: 4, root }, signer);
}
