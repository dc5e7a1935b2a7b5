import { createWhole } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';

/** A file for people, whole or not at all, and never over anything. @throws LinesideError `file-exists`, `directory-unwritable` */
export async function writeNewFile(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await createWhole(path, content);
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    if (systemCode(cause) === 'EEXIST') throw new LinesideError('file-exists', { path }, { cause });
    throw new LinesideError('directory-unwritable', { path, reason: systemWords(cause) }, { cause });
  }
}
