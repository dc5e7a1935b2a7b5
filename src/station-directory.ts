import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatStationFile, readStationFile, type StationFile } from './config.ts';
import type { Lease } from './device.ts';
import { syncDirectory, writeDurably } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import { encodeLeaf } from './log/leaf.ts';
import type { Registry } from './registry/registry.ts';
import { createRegistry, openRegistry } from './registry/sqlite.ts';
import { createStationKey } from './station-key.ts';
import { version } from './version.ts';

const stationFile = 'station.json';
const registryFile = 'registry.db';

/** A station in use: nobody else can open it until its registry is closed. */
export interface Station {
  readonly file: StationFile;
  readonly registry: Registry;
}

/** @throws LinesideError `station-missing`, `station-invalid`, `registry-…` */
export async function openStation(directory: string): Promise<Station> {
  const file = await readStation(directory);
  return { file, registry: await openStationRegistry(directory, file) };
}

/** @throws LinesideError `registry-…` */
export async function openStationRegistry(directory: string, file: StationFile): Promise<Registry> {
  return openRegistry(join(resolve(directory), registryFile), encodeLeaf(context(file)), clock);
}

/** What the station is, without its registry. @throws LinesideError `station-missing`, `station-invalid` */
export async function readStation(directory: string): Promise<StationFile> {
  return readStationFile(join(resolve(directory), stationFile));
}

/**
 * Makes a station directory, mode 0700, with its registry and first lease: whole or not at all, also when the
 * power fails, because it gets its name last.
 * @throws LinesideError `station-exists`, `directory-unwritable`, `registry-full`
 */
export async function createStation(directory: string, station: StationFile, lease: Lease): Promise<void> {
  const target = resolve(directory);
  const draft = join(dirname(target), `.lineside-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(draft, { mode: 0o700 });
    await fill(draft, station, lease);
    await takeName(draft, target);
    await syncDirectory(dirname(target));
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // what went wrong before is what matters
    if (cause instanceof LinesideError) throw cause;
    const blocked = ['EEXIST', 'ENOTDIR'].includes(systemCode(cause));
    const reason = blocked ? 'a file is in its way' : systemWords(cause);
    throw new LinesideError('directory-unwritable', { path: target, reason }, { cause });
  }
}

/** Onto an empty directory or none; anything else is refused by the kernel. */
async function takeName(draft: string, target: string): Promise<void> {
  try {
    await rename(draft, target);
  } catch (cause) {
    const taken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(cause));
    throw taken ? new LinesideError('station-exists', { path: target }, { cause }) : cause;
  }
}

async function fill(draft: string, station: StationFile, lease: Lease): Promise<void> {
  const registry = await createRegistry(join(draft, registryFile), encodeLeaf(context(station)), clock);
  try {
    await registry.record({ ev: 'station.init', chip: station.chip.name });
    await registry.addLease(lease);
    await createStationKey(draft, station.name, registry);
  } finally {
    await registry.close();
  }
  await writeDurably(join(draft, stationFile), formatStationFile(station));
  await syncDirectory(draft);
}

function context(station: StationFile) {
  return { station: station.name, sw: version };
}

function clock(): Date {
  return new Date();
}
