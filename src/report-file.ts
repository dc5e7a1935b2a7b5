import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { extname } from 'node:path';
import { LinesideError } from './errors.ts';
import { writeNewFile } from './new-file.ts';

const forms = { '.html': 'html', '.csv': 'csv', '.jsonl': 'jsonl', '.xml': 'xml' } as const;

/** Where a report goes, and what it is: its name says so. */
export interface ReportFile {
  readonly path: string;
  readonly form: (typeof forms)[keyof typeof forms];
}

/** @throws LinesideError `usage` for a name that ends in none of the forms, `file-exists` */
export async function newReportFile(path: string): Promise<ReportFile> {
  const extension = extname(path).toLowerCase();
  if (!Object.hasOwn(forms, extension)) {
    const problem = `the name of a report ends in .html, .csv, .jsonl or .xml: "${path}" does not`;
    throw new LinesideError('usage', { problem });
  }
  if (await isThere(path)) throw new LinesideError('file-exists', { path });
  return { path, form: forms[extension as keyof typeof forms] };
}

/**
 * Writes a report whole, or not at all, and never over anything: what an auditor was shown is not replaced.
 * @returns SHA-256 of the file
 * @throws LinesideError `file-exists`, `directory-unwritable`, and what making the text throws
 */
export async function writeReport(
  path: string,
  text: Iterable<string> | AsyncIterable<string>,
): Promise<string> {
  const digest = createHash('sha256');
  await writeNewFile(path, inBlocks(text, digest));
  return digest.digest('hex');
}

const blockLength = 64 * 1024;

/** A page is made of many small pieces, and each write is a system call. */
async function* inBlocks(
  text: Iterable<string> | AsyncIterable<string>,
  digest: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  let block = '';
  for await (const piece of text) {
    block += piece;
    if (block.length < blockLength) continue;
    yield hashed(block, digest);
    block = '';
  }
  yield hashed(block, digest);
}

function hashed(block: string, digest: ReturnType<typeof createHash>): Uint8Array {
  const bytes = Buffer.from(block);
  digest.update(bytes);
  return bytes;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
