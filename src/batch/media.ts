import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { LinesideError, systemCode, systemWords } from '../errors.ts';
import { readWhole } from '../read-whole.ts';
import { refusal } from './refusal.ts';

const maximumFiles = 16;

/**
 * A directory on a medium that somebody else has written. It is opened once and its files are reached through that,
 * so what is exchanged or mounted in its place meanwhile is not looked at.
 */
export class Media {
  readonly #path: string;
  readonly #directory: FileHandle;
  readonly names: readonly string[];

  private constructor(path: string, directory: FileHandle, names: readonly string[]) {
    this.#path = path;
    this.#directory = directory;
    this.names = names;
  }

  /** @throws LinesideError `batch-unreadable`, `batch-refused` */
  static async open(path: string): Promise<Media> {
    const directory = await readable(path, () => open(path, constants.O_RDONLY | constants.O_DIRECTORY));
    try {
      return new Media(path, directory, await readable(path, () => list(directory)));
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  /**
   * All bytes of one file of at most `limit`.
   * @throws LinesideError `batch-unreadable`, `batch-refused`, `batch-tampered`
   */
  read(name: string, limit: number): Promise<Buffer> {
    return this.#onFile(
      name,
      limit,
      async (file, size) => (await readWhole(file, size)) ?? fail('changed', name),
    );
  }

  /** SHA-256 of one file as `read` would give it, without holding more than a part of it. @throws as `read` */
  hash(name: string, limit: number): Promise<{ readonly length: number; readonly sha256: string }> {
    return this.#onFile(name, limit, async (file, size) => {
      const hash = createHash('sha256');
      let length = 0;
      for await (const part of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
        hash.update(part);
        length += part.length;
      }
      return length === size ? { length, sha256: hash.digest('hex') } : fail('changed', name);
    });
  }

  #onFile<T>(name: string, limit: number, work: (file: FileHandle, size: number) => Promise<T>): Promise<T> {
    if (!this.names.includes(name)) throw refusal('missing-file', name);
    return readable(this.#path, () => onPlainFile(`${reached(this.#directory)}/${name}`, name, limit, work));
  }

  close(): Promise<void> {
    return this.#directory.close();
  }
}

/** proc(5): what this process has open, whatever its name has become. */
function reached(directory: FileHandle): string {
  return `/proc/self/fd/${directory.fd}`;
}

async function list(directory: FileHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(reached(directory))) {
    if (names.length === maximumFiles) throw refusal('too-many-files');
    names.push(name);
  }
  // A medium with FAT on it holds one of them, and which one depends on who looks.
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) throw refusal('case-twins');
  return names.sort();
}

async function onPlainFile<T>(
  path: string,
  name: string,
  limit: number,
  work: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  const seen = await lstat(path, { bigint: true });
  mustBePlain(seen, name); // before it is opened: opening a device can already do something
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  try {
    const found = await file.stat({ bigint: true });
    mustBePlain(found, name);
    if (found.ino !== seen.ino || found.dev !== seen.dev) throw refusal('changed', name);
    if (found.size > limit) throw refusal('too-large', name);
    return await work(file, Number(found.size));
  } finally {
    await file.close();
  }
}

function mustBePlain(stat: BigIntStats, name: string): void {
  if (!stat.isFile()) throw refusal('not-regular', name);
  if (stat.nlink !== 1n) throw refusal('hard-link', name);
}

function fail(...why: Parameters<typeof refusal>): never {
  throw refusal(...why);
}

async function readable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    if (systemCode(cause) === 'ELOOP') throw refusal('changed', undefined, cause); // a link now, and not before
    throw new LinesideError('batch-unreadable', { path, reason: systemWords(cause) }, { cause });
  }
}
