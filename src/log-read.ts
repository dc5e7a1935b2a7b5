import { join } from 'node:path';
import { LinesideError } from './errors.ts';
import { parseCheckpoint } from './log/checkpoint.ts';
import { ExportSource } from './log/export-source.ts';
import { readPlainFile } from './log/plain-file.ts';
import { NoteError, noteText } from './note.ts';
import { openUnchecked, readStation } from './station-directory.ts';
import { longestNote } from './station-log.ts';

/** The entries of an export as they are there; whether they are what was logged, verifying says. @throws LinesideError `log-unreadable` */
export async function* leavesIn(directory: string): AsyncGenerator<Uint8Array> {
  const path = join(directory, 'checkpoint');
  const { size } = claimed(path, await readPlainFile(path, longestNote));
  for await (const page of new ExportSource(directory, size).pages(0)) {
    if ('code' in page) throw new LinesideError('log-unreadable', { path: directory, reason: page.what });
    yield* page.leaves;
  }
}

/** The entries in a station's registry. @throws LinesideError those of opening a station, but for its head */
export async function* leavesOfStation(directory: string): AsyncGenerator<Uint8Array> {
  const registry = await openUnchecked(directory, await readStation(directory));
  try {
    yield* registry.leaves();
  } finally {
    await registry.close();
  }
}

function claimed(path: string, note: Buffer | undefined): { readonly size: number } {
  try {
    return parseCheckpoint(noteText(note ?? Buffer.alloc(0)));
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new LinesideError('log-unreadable', { path, reason: cause.message }, { cause });
  }
}
