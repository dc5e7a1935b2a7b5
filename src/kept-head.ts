import { createHash } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceWhole, syncDirectory } from './durable.ts';
import { systemCode } from './errors.ts';
import { History, type HistoryState } from './log/history/history.ts';
import { type UnitFacts, unitLine } from './unit-line.ts';

/*
 * What QA keeps between two visits: the checkpoint it saw last, and beside it what the log told up to there, so that
 * next time only the new entries are read. Whoever can write to these files can hide things from the one who keeps them.
 */

/** Lines at a time: a million units would not fit into one string. */
const atOnce = 5000;

const unitsFile = (path: string) => `${path}.units`;

/** The units first: if power fails between the two, they do not fit the checkpoint, and all entries are read again. */
export async function keepHead(
  path: string,
  note: string,
  root: Uint8Array,
  history: History,
): Promise<void> {
  const draft = `${unitsFile(path)}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    const header = { digest: history.units.digest(), root: hex(root), state: history.state };
    await file.write(`${JSON.stringify(header)}\n`);
    let lines: string[] = [];
    for (const unit of history.units.inOrder()) {
      if (lines.push(unitLine(unit)) < atOnce) continue;
      await file.write(lines.join(''));
      lines = [];
    }
    await file.write(lines.join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, unitsFile(path));
  await syncDirectory(dirname(path));
  await replaceWhole(path, note);
}

/** What was kept beside a checkpoint with this root; undefined if nothing was, or not this. */
export async function keptHistory(
  path: string,
  station: string,
  root: Uint8Array,
): Promise<History | undefined> {
  const bytes = await readFile(unitsFile(path)).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  const start = bytes.indexOf('\n') + 1;
  const header = headerOf(bytes.toString('utf8', 0, start));
  const lines = bytes.subarray(start);
  if (header?.root !== hex(root) || header.digest !== createHash('sha256').update(lines).digest('hex'))
    return undefined;
  return new History(station, header.state, unitsIn(lines));
}

interface Header {
  readonly digest: string;
  readonly root: string;
  readonly state: HistoryState;
}

function* unitsIn(lines: Buffer): Generator<UnitFacts> {
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\n', at);
    yield JSON.parse(lines.toString('utf8', at, end));
    at = end + 1;
  }
}

function headerOf(line: string): Header | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
