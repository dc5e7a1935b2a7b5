import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { StationFile } from './config.ts';
import type { Lease } from './device.ts';
import { syncDirectory } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import { type Checkpoint, logSigner } from './log/checkpoint.ts';
import { readLeaf } from './log/leaf.ts';
import type { Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import { checkBackup } from './registry/sqlite.ts';
import { openRegistryFile, openStation, readStation, registryPath } from './station-directory.ts';
import { readStationKey } from './station-key.ts';
import {
  epochOf,
  headPath,
  mustBeginWith,
  readHead,
  readKeptHead,
  rootAt,
  signHead,
  type SignedCheckpoint,
} from './station-log.ts';

export interface Restoring {
  /** In the words of whoever answers for it; it is logged. */
  readonly reason: string;
  /** The ids to go on with: those of the leases of before are never given again. */
  readonly lease?: Lease;
  /** A checkpoint of this station that the CA or QA has, if the station has lost its own or has only an older one. */
  readonly head?: string;
  /** Whether a registry that is sound may be set aside. */
  readonly over: 'lost-or-damaged' | 'sound';
}

/**
 * Puts a backup in the place of a registry that is lost or damaged. What came after the backup is unknown, so the
 * leases are closed, and the log goes on in a new epoch under a new origin: nothing that is signed from here on can
 * contradict what was signed before. The new head is on disk first; if power fails after that, the station does not
 * open, and the next try opens one more epoch.
 * @throws LinesideError `registry-sound`, `backup-…`, `log-…`, `station-key-unusable`, `usage`, `lease-overlaps`
 */
export async function restoreRegistry(
  directory: string,
  backup: string,
  how: Restoring,
): Promise<SignedCheckpoint> {
  const station = resolve(directory);
  const file = await readStation(station);
  if (how.over === 'lost-or-damaged') await mustBeLost(station);
  const key = await readStationKey(station, file.name);
  const left = await lastSigned(station, key.verifier, how.head);

  const draft = `${registryPath(station)}.${randomBytes(6).toString('hex')}`;
  try {
    await copyDurably(backup, draft);
    await checkBackup(draft);
    const { epoch, size, root } = await leaveEpoch(draft, backup, file, left, how);
    const signed = await signHead(station, logSigner(key, epoch), size, root);
    await onDisk(station, () => takePlace(station, draft));
    return signed;
  } finally {
    for (const rest of besides) await rm(`${draft}${rest}`, { force: true });
  }
}

/** A database and the files that SQLite puts beside it. */
const besides = ['', '-wal', '-shm', '-journal'];

/** Lost is also what the station does not open because it does not fit what was signed. */
async function mustBeLost(station: string): Promise<void> {
  const lost = ['registry-missing', 'registry-damaged'];
  const open = await openStation(station).catch((error: unknown) => {
    if (error instanceof LinesideError && (lost.includes(error.code) || error.exit === 7)) return undefined;
    throw error;
  });
  if (open === undefined) return;
  await open.registry.close();
  throw new LinesideError('registry-sound');
}

/** What was signed last, as far as anybody knows. */
interface LastSigned {
  readonly checkpoint: Checkpoint;
  /** The station's own `log.head` says so, which is never behind. */
  readonly isCertain: boolean;
}

async function lastSigned(station: string, verifier: Verifier, kept?: string): Promise<LastSigned> {
  const theirs = kept === undefined ? undefined : await readKeptHead(kept, verifier);
  const own = await readHead(station, verifier).catch((error: unknown) => {
    if (theirs) return undefined;
    throw error;
  });
  const [latest] = [own, theirs].filter((head) => head !== undefined).sort(later);
  if (latest === undefined) throw new LinesideError('log-head-missing', { path: headPath(station) });
  return { checkpoint: latest, isCertain: own !== undefined };
}

function later(one: Checkpoint, other: Checkpoint): number {
  return epochOf(other) - epochOf(one) || other.size - one.size;
}

/** The restored registry leaves the epoch that was signed in: its first new entry says from where, and why. */
async function leaveEpoch(
  draft: string,
  backup: string,
  file: StationFile,
  { checkpoint, isCertain }: LastSigned,
  { reason, lease }: Restoring,
): Promise<{ epoch: number; size: number; root: Buffer }> {
  const registry = await openRegistryFile(draft, file);
  try {
    await mustBeOf(registry, backup, file.name);
    const inBackup = (await registry.epoch()) ?? 1;
    if (inBackup === epochOf(checkpoint)) await mustBeginWith(registry, checkpoint);
    const last = Math.max(epochOf(checkpoint), inBackup);
    const epoch = nextEpoch(last, isCertain);
    const { size, root } = checkpoint;
    const before = { before: epochOf(checkpoint), size, root: Buffer.from(root).toString('hex') };
    await registry.openEpoch({ epoch, ...before, reason });
    await registry.closeLeases();
    if (lease) await registry.addLease(lease);
    const sealed = await registry.seal();
    return { epoch, size: sealed, root: await rootAt(registry, sealed) };
  } finally {
    await registry.close();
  }
}

/**
 * If the station has lost its head, epochs may have been opened and signed that nobody here knows of; no number that
 * one of them can have had is as high as the seconds since 1970.
 */
function nextEpoch(last: number, isCertain: boolean): number {
  return isCertain ? last + 1 : Math.max(last + 1, Math.floor(Date.now() / 1000));
}

async function mustBeOf(registry: Registry, path: string, station: string): Promise<void> {
  for await (const leaf of registry.leaves()) {
    const found = readLeaf(leaf)?.station ?? 'nobody';
    if (found === station) return;
    throw new LinesideError('backup-foreign', { path, found, station });
  }
  throw new LinesideError('backup-damaged', { path, reason: 'its log is empty' });
}

async function copyDurably(backup: string, draft: string): Promise<void> {
  try {
    await copyFile(backup, draft, constants.COPYFILE_EXCL);
    await chmod(draft, 0o600);
    const file = await open(draft, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new LinesideError('backup-damaged', { path: backup, reason: systemWords(cause) }, { cause });
  }
}

/** What was there before is kept, as evidence, under another name; its WAL too, which must not meet the new file. */
async function takePlace(station: string, draft: string): Promise<void> {
  const path = registryPath(station);
  const aside = `${path}.before-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`;
  for (const rest of besides)
    await rename(`${path}${rest}`, `${aside}${rest}`).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
    });
  await rename(draft, path);
  await syncDirectory(station);
}

async function onDisk(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new LinesideError('directory-unwritable', { path, reason: systemWords(cause) }, { cause });
  }
}
