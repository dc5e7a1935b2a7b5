import { openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import { LinesideError, systemWords } from '../src/errors.ts';

/*
 * Passwords and PINs, always as bytes that their user wipes: from a file or a file descriptor, else typed without echo
 * at the terminal. Never from an argument or the environment, which other programs can read.
 */

const greatestLength = 1024;

/** The first line of a file; `-` is stdin. @throws LinesideError `password-unreadable`, `no-terminal`, `interrupted` */
export async function readSecret(file: string | undefined, what: string): Promise<Uint8Array> {
  if (file === undefined) return typed(what);
  const line = await firstLine(file, what);
  if (line.length === 0)
    throw new LinesideError('password-unreadable', { what, path: file, reason: 'its first line is empty' });
  return line;
}

/** As `readSecret`, but what is typed is typed twice: nobody could open what is made with a slip. */
export async function readNewSecret(file: string | undefined, what: string): Promise<Uint8Array> {
  const first = await readSecret(file, `new ${what}`);
  if (file !== undefined) return first;
  const second = await typed(`new ${what} once more`);
  const same = Buffer.from(first).equals(second);
  second.fill(0);
  if (!same) throw new LinesideError('usage', { problem: `the two times the ${what} was typed differ` });
  return first;
}

async function firstLine(file: string, what: string): Promise<Uint8Array> {
  const path = file === '-' ? '/dev/stdin' : file;
  const buffer = Buffer.from(new ArrayBuffer(greatestLength));
  try {
    const length = await fill(path, buffer);
    const end = buffer.subarray(0, length).indexOf('\n');
    const line = buffer.subarray(0, end < 0 ? length : end);
    return new Uint8Array(line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
  } catch (cause) {
    throw new LinesideError('password-unreadable', { what, path, reason: systemWords(cause) }, { cause });
  } finally {
    buffer.fill(0);
  }
}

async function fill(path: string, buffer: Buffer): Promise<number> {
  const source = await open(path, 'r');
  let length = 0;
  try {
    for (let more = -1; more !== 0 && length < buffer.length; length += more)
      ({ bytesRead: more } = await source.read(buffer, length, buffer.length - length, null));
  } finally {
    await source.close();
  }
  return length;
}

async function typed(what: string): Promise<Uint8Array> {
  let terminal: number;
  try {
    terminal = openSync('/dev/tty', 'r+');
  } catch (cause) {
    throw new LinesideError('no-terminal', { what }, { cause });
  }
  const keyboard = new ReadStream(terminal);
  keyboard.setRawMode(true); // from here on nothing is echoed
  writeSync(terminal, `${what}: `);
  try {
    return await line(keyboard);
  } finally {
    writeSync(terminal, '\r\n');
    keyboard.setRawMode(false);
    keyboard.destroy();
  }
}

const enter = [0x0d, 0x0a];
const endOfFile = 0x04;
const interrupt = 0x03;
const erase = [0x08, 0x7f];
const eraseLine = 0x15;

async function line(keyboard: ReadStream): Promise<Uint8Array> {
  const buffer = Buffer.from(new ArrayBuffer(greatestLength));
  let length = 0;
  try {
    for await (const chunk of keyboard.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const keys = [...chunk];
      chunk.fill(0);
      for (const key of keys) {
        if (enter.includes(key)) return new Uint8Array(buffer.subarray(0, length));
        if (key === interrupt || key === endOfFile) throw new LinesideError('interrupted');
        length = afterKey(key, buffer, length);
      }
    }
    throw new LinesideError('interrupted');
  } finally {
    buffer.fill(0);
  }
}

/** @returns how long the line is then */
function afterKey(key: number, line: Buffer, length: number): number {
  if (key === eraseLine) return 0;
  if (erase.includes(key)) return startOfLastCharacter(line, length);
  if (length < line.length) line[length] = key;
  return Math.min(length + 1, line.length);
}

/** A character of UTF-8 is a byte and the continuation bytes after it. */
function startOfLastCharacter(buffer: Buffer, length: number): number {
  let at = Math.max(0, length - 1);
  while (at > 0 && ((buffer[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}
