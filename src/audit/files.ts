import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Finding, found } from './finding.ts';

/** A regular file of a station, held open, so that what is judged is what is scanned. */
export interface HeldFile {
  /** Below the station's directory. */
  readonly path: string;
  readonly size: number;
  readonly handle: FileHandle;
}

/** What a station consists of. Others may know what is no secret, and write to nothing. */
const stationFiles: ReadonlyMap<string, 'for all to read' | 'for its owner'> = new Map([
  ['station.json', 'for all to read'],
  ['station.vkey', 'for all to read'],
  ['station.key', 'for its owner'],
  ['log.head', 'for its owner'],
  ['registry.db', 'for its owner'],
  ['registry.db-wal', 'for its owner'],
  ['registry.db-journal', 'for its owner'],
]);

/** What a power cut leaves of files that get their name last, and of batches on their way to a CA at hand. */
const leftover =
  /^(?:station\.key|station\.vkey|log\.head|registry\.db)\.[0-9a-f]{12}(?:-wal|-journal)?$|^\.lineside-[A-Za-z0-9]{6}(?:\/|$)/;
/** What the restoring of a backup took the place of. */
const setAside = /^registry\.db\.before-\d{8}T\d{6}Z(?:-wal|-journal)?$/;

/**
 * Opens all files of a station, and says of each whether it belongs there, whose it is and who may touch it. Opened
 * before SQLite opens the registry, and to be closed after that: closing a file drops all locks of the process on it
 * (fcntl(2)).
 */
export async function holdFiles(directory: string): Promise<{ files: HeldFile[]; findings: Finding[] }> {
  const files: HeldFile[] = [];
  const findings: Finding[] = [];
  const { uid } = await lstat(directory);
  findings.push(...(await judgeMode('.', directory, uid)));
  for (const entry of await entriesOf(directory)) {
    const whole = join(entry.parentPath, entry.name);
    const path = relative(directory, whole);
    findings.push(...judgeName(path, entry), ...(await judgeMode(path, whole, uid)));
    if (!entry.isFile()) continue;
    const handle = await open(whole, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    files.push({ path, size: (await handle.stat()).size, handle });
  }
  return { files, findings };
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries.sort((one, other) =>
    join(one.parentPath, one.name) < join(other.parentPath, other.name) ? -1 : 1,
  );
}

function judgeName(path: string, entry: Dirent): Finding[] {
  const subject = { kind: 'file', path } as const;
  if (leftover.test(path)) return path.includes('/') ? [] : [found('file-leftover', subject, { path })];
  if (setAside.test(path)) return [found('file-set-aside', subject, { path })];
  if (!stationFiles.has(path)) return [found('file-unknown', subject, { path })];
  return entry.isFile() ? [] : [found('file-not-regular', subject, { path })];
}

async function judgeMode(path: string, whole: string, owner: number): Promise<Finding[]> {
  const subject = { kind: 'file', path } as const;
  const stat = await lstat(whole);
  const permissions = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  const forbidden = stationFiles.get(path) === 'for all to read' ? 0o022 : 0o077;
  const findings: Finding[] = [];
  if (stat.uid !== owner) findings.push(found('file-owner', subject, { path, uid: stat.uid, owner }));
  if (!stat.isSymbolicLink() && (stat.mode & forbidden) !== 0)
    findings.push(found('file-open', subject, { path, permissions }));
  if (!stat.isDirectory() && stat.nlink > 1)
    findings.push(found('file-linked', subject, { path, nlink: stat.nlink }));
  return findings;
}
