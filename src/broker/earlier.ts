import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LinesideError, systemCode, systemWords } from '../errors.ts';
import { parsePem } from '../pem.ts';
import { type FileName, fileNames } from './file-names.ts';

/**
 * The CRLs, DER, of the export that is in this place already; none if there is nothing, or an empty directory. A
 * directory with anything else in it is not taken: it may be the broker's key.
 * @throws LinesideError `not-an-export`, `directory-unwritable`
 */
export async function readEarlierCrls(directory: string): Promise<Uint8Array[]> {
  const names = await namesIn(directory);
  if (names.length === 0) return [];
  const foreign = names.find((name) => !(fileNames as readonly string[]).includes(name));
  if (foreign !== undefined) throw notAnExport(directory, `it holds ${foreign}`);
  const crlFile: FileName = 'devices.crl';
  const text = await readFile(join(directory, crlFile), 'latin1').catch((cause: unknown) => {
    throw notAnExport(directory, `${crlFile}: ${systemWords(cause)}`, cause);
  });
  const crls = parsePem('X509 CRL', text) ?? [];
  if (crls.length === 0) throw notAnExport(directory, `its ${crlFile} is damaged`);
  return crls;
}

export function notAnExport(path: string, reason: string, cause?: unknown): LinesideError {
  return new LinesideError('not-an-export', { path, reason }, { cause });
}

async function namesIn(path: string): Promise<string[]> {
  try {
    if (!(await lstat(path)).isDirectory()) throw notAnExport(path, 'it is not a directory');
    return await readdir(path);
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    if (systemCode(cause) === 'ENOENT') return [];
    throw new LinesideError('directory-unwritable', { path, reason: systemWords(cause) }, { cause });
  }
}
