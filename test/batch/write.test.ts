import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PayloadFile } from '../../src/batch/manifest.ts';
import { readBatch } from '../../src/batch/read.ts';
import { writeBatch } from '../../src/batch/write.ts';
import { checkpoint, consistency, fields, good, requests, station, workshop } from './batches.ts';

const manifest = Buffer.from(JSON.stringify(fields));
const payload = new Map<PayloadFile, Uint8Array>([
  ['checkpoint', Buffer.from(checkpoint)],
  ['consistency', Buffer.from(consistency)],
  ['requests.pem', Buffer.from(requests)],
]);
const write = (path: string) => writeBatch(path, manifest, payload, station);

async function contents(directory: string): Promise<Record<string, string>> {
  const names = await readdir(directory);
  const files = names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(files));
}

describe('a batch', () => {
  test('is written byte for byte as by hand, can be read, and nothing lies beside it', async () => {
    const target = join(await workshop(), 'batch');
    await write(target);
    expect(await contents(target)).toEqual(good());
    expect((await readBatch(target, [station.verifier])).manifest).toEqual(fields);
    expect(await readdir(dirname(target))).toEqual(['batch']);
  });

  test('is written into an empty directory too', async () => {
    const target = join(await workshop(), 'batch');
    await mkdir(target);
    await write(target);
    expect(await contents(target)).toEqual(good());
  });

  test('that is there already is left as it is', async () => {
    const target = join(await workshop(), 'batch');
    await write(target);
    const old = new Date('2026-01-01');
    await utimes(join(target, 'manifest.json'), old, old);
    await write(target);
    expect((await stat(join(target, 'manifest.json'))).mtime).toEqual(old);
  });

  test.each(['a note', 'part of this batch'])('is never put over %s', async (what) => {
    const target = join(await workshop(), 'batch');
    await mkdir(target);
    const name = what === 'a note' ? 'note.txt' : 'manifest.json';
    await writeFile(join(target, name), manifest);
    await expect(write(target)).rejects.toMatchObject({ code: 'directory-taken', exit: 2 });
    expect(await contents(target)).toEqual({ [name]: manifest.toString() });
    expect(await readdir(dirname(target))).toEqual(['batch']);
  });

  test('is never put over a file', async () => {
    const target = join(await workshop(), 'batch');
    await writeFile(target, 'mine');
    await expect(write(target)).rejects.toMatchObject({ code: 'directory-taken' });
    expect(await readFile(target, 'utf8')).toBe('mine');
  });

  test('is not written where there is no place for it', async () => {
    const nowhere = join(await workshop(), 'nowhere', 'batch');
    await expect(write(nowhere)).rejects.toMatchObject({ code: 'directory-unwritable', exit: 6 });
  });
});
