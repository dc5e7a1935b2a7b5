import { join, resolve } from 'node:path';
import { bootClock } from './boot-clock.ts';
import { formatStationFile, readStationFile, type StationFile } from './config.ts';
import type { Lease } from './device.ts';
import { writeDurably } from './durable.ts';
import { logWriter } from './log/writer.ts';
import { makeDirectory } from './new-directory.ts';
import type { Registry } from './registry/registry.ts';
import { createRegistry, openRegistry, openRegistryForAudit } from './registry/sqlite.ts';
import { createStationKey } from './station-key.ts';
import { mustFitHead } from './station-log.ts';
import { version } from './version.ts';

const stationFile = 'station.json';
const registryFile = 'registry.db';

/** A station in use: nobody else can open it until its registry is closed. */
export interface Station {
  readonly file: StationFile;
  readonly registry: Registry;
}

/** @throws LinesideError `station-missing`, `station-invalid`, `registry-…`, `log-…` */
export async function openStation(directory: string): Promise<Station> {
  const file = await readStation(directory);
  return { file, registry: await openStationRegistry(directory, file) };
}

/** A registry that does not extend what the station last signed is not opened. @throws LinesideError `registry-…`, `log-…` */
export async function openStationRegistry(directory: string, file: StationFile): Promise<Registry> {
  const registry = await openUnchecked(directory, file);
  try {
    await mustFitHead(resolve(directory), file, registry);
    return registry;
  } catch (error) {
    await registry.close();
    throw error;
  }
}

/** To look at a registry that may have been tampered with: nothing is to be signed with it. @throws LinesideError `registry-…` */
export async function openUnchecked(directory: string, file: StationFile): Promise<Registry> {
  return openRegistryFile(registryPath(directory), file);
}

/** To say what is wrong with a registry, whatever that is. @throws LinesideError `registry-…` */
export async function openForAudit(directory: string, file: StationFile) {
  return openRegistryForAudit(registryPath(directory), await writer(file), clock);
}

/** A registry that lies elsewhere, on its way into or out of a station. @throws LinesideError `registry-…` */
export async function openRegistryFile(path: string, file: StationFile): Promise<Registry> {
  return openRegistry(path, await writer(file), clock);
}

export function registryPath(directory: string): string {
  return join(resolve(directory), registryFile);
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
  const registry = await createRegistry(registryPath(draft), await writer(station), clock);
  try {
    await registry.record({ ev: 'station.init', chip: station.chip.name });
    await registry.addLease(lease);
    await createStationKey(draft, station.name, registry);
    await mustFitHead(draft, station, registry);
  } finally {
    await registry.close();
  }
  await writeDurably(join(draft, stationFile), formatStationFile(station));
}

async function writer(station: StationFile) {
  return logWriter({ station: station.name, sw: version, boot: await bootClock() });
}

function clock(): Date {
  return new Date();
}
