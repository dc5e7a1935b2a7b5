import { join, resolve } from 'node:path';
import { formatStationFile, readStationFile, type StationFile } from './config.ts';
import type { Lease } from './device.ts';
import { writeDurably } from './durable.ts';
import { encodeLeaf } from './log/leaf.ts';
import { makeDirectory } from './new-directory.ts';
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
  await makeDirectory(directory, 'station-exists', (draft) => fill(draft, station, lease));
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
}

function context(station: StationFile) {
  return { station: station.name, sw: version };
}

function clock(): Date {
  return new Date();
}
