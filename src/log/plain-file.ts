import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { LinesideError, systemCode, systemWords } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

/**
 * All bytes of a file that somebody else may have put there, in one pass: of nothing but a plain file, and nothing to
 * wait for. Undefined if it is larger than `limit`.
 * @throws LinesideError `log-unreadable`
 */
export async function readPlainFile(path: string, limit: number): Promise<Buffer | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw unreadable(path, 'it is not a plain file');
      if (stat.size > limit) return undefined;
      const bytes = await readWhole(file, stat.size);
      if (bytes === undefined) throw unreadable(path, 'it changed while it was read');
      return bytes;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    const code = systemCode(cause);
    throw unreadable(path, code === 'ELOOP' ? 'it is a link' : systemWords(cause), cause);
  }
}

function unreadable(path: string, reason: string, cause?: unknown): LinesideError {
  return new LinesideError('log-unreadable', { path, reason }, { cause });
}
