import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseStation } from '../src/config.ts';
import { parseLease } from '../src/device.ts';
import { logWriter } from '../src/log/writer.ts';
import { openNote, readVerifier, signNote } from '../src/note.ts';
import { createRegistry } from '../src/registry/sqlite.ts';
import { createStation, openStation } from '../src/station-directory.ts';
import { createStationKey, openStationKey } from '../src/station-key.ts';
import { context } from './support/log-context.ts';

async function newStation(): Promise<string> {
  const workshop = await mkdtemp(join(tmpdir(), 'lineside-key-'));
  onTestFinished(() => rm(workshop, { recursive: true }));
  const directory = join(workshop, 'st07');
  await createStation(directory, parseStation('st07', 'nrf52840', []), parseLease('00000001-00000010'));
  return directory;
}

/** What the station would sign with, and every key its log names. */
async function look(directory: string) {
  const { registry } = await openStation(directory);
  try {
    const signer = await openStationKey(directory, 'st07', registry);
    const logged: unknown[] = [];
    for await (const leaf of registry.leaves()) {
      const { ev, signer: named } = JSON.parse(Buffer.from(leaf).toString()) as Record<string, unknown>;
      if (ev === 'station.key') logged.push(named);
    }
    return { signer, logged };
  } finally {
    await registry.close();
  }
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('the key of a station', () => {
  test('is made with it: secret half for its owner alone, public half beside it, its hash in the log', async () => {
    const directory = await newStation();
    expect((await stat(join(directory, 'station.key'))).mode & 0o777).toBe(0o600);
    const shown = await readFile(join(directory, 'station.vkey'));
    const { signer, logged } = await look(directory);
    expect(logged).toEqual([sha256(shown)]);
    const verifier = readVerifier(shown.toString().trimEnd());
    expect(openNote(Buffer.from(signNote('said\n', signer)), [verifier])).toBe('said\n');
    expect((await readdir(directory)).filter((name) => name.startsWith('station.')).sort()).toEqual([
      'station.json',
      'station.key',
      'station.vkey',
    ]);
  });

  test('is made at first use for a station that was made before there were keys, and then stays', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lineside-key-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const registry = await createRegistry(
      join(directory, 'registry.db'),
      logWriter(context),
      () => new Date(),
    );
    onTestFinished(() => registry.close());
    const { verifier } = await openStationKey(directory, 'st07', registry);
    expect((await openStationKey(directory, 'st07', registry)).verifier.line).toBe(verifier.line);
    expect((await registry.logPosition()).size).toBe(1);
  });

  test('is never made anew for a station that has signed its log', async () => {
    const directory = await newStation();
    await rm(join(directory, 'station.key'));
    await expect(look(directory)).rejects.toMatchObject({ code: 'station-key-unusable' });
    expect(await readdir(directory)).not.toContain('station.key');
  });

  test('never takes the place of another', async () => {
    const directory = await newStation();
    const before = await readFile(join(directory, 'station.key'));
    const { registry } = await openStation(directory);
    await expect(createStationKey(directory, 'st07', registry)).rejects.toMatchObject({ code: 'EEXIST' });
    await registry.close();
    expect(await readFile(join(directory, 'station.key'))).toEqual(before);
  });

  test('is shown again when power failed between its two files', async () => {
    const directory = await newStation();
    const shown = await readFile(join(directory, 'station.vkey'));
    await rm(join(directory, 'station.vkey'));
    expect((await look(directory)).logged).toHaveLength(1);
    expect(await readFile(join(directory, 'station.vkey'))).toEqual(shown);
  });

  test.each([
    ['others may read it', (path: string) => chmod(path, 0o640), 'others'],
    ['it is no key', (path: string) => writeFile(path, 'lost'), 'not an Ed25519 key'],
    ['it is too long for a key', (path: string) => writeFile(path, 'x'.repeat(5000)), 'not a key'],
  ])('is not used, and not made anew, if %s', async (_, harm, reason) => {
    const directory = await newStation();
    const path = join(directory, 'station.key');
    await harm(path);
    const harmed = await readFile(path);
    const refusal = { code: 'station-key-unusable', message: expect.stringContaining(reason) };
    await expect(look(directory)).rejects.toMatchObject(refusal);
    expect(await readFile(path)).toEqual(harmed);
  });
});
