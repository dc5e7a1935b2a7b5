import { createHash, sign } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSigner, type Signer } from '../../src/note.ts';
import { treeHash } from './rfc6962.ts';

/*
 * The tools of somebody who forges logs: files of https://c2sp.org/tlog-tiles and checkpoints, read and written from
 * the words of the specifications and with nothing of src but the reading of a PEM key.
 */

export type Entry = Record<string, string | number | boolean | null>;

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
export const parse = (leaf: Uint8Array): Entry => JSON.parse(Buffer.from(leaf).toString());

/** RFC 8785 for entries as they are: flat, with names in ASCII. */
export function canonical(entry: Entry): Buffer {
  return Buffer.from(
    JSON.stringify(Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))),
  );
}

/** Numbers and chains entries anew, so that they look as if they had been written one after the other. */
export function rechained(leaves: readonly Uint8Array[]): Buffer[] {
  const chained: Buffer[] = [];
  for (const leaf of leaves) {
    const previous = chained.at(-1);
    const p = previous ? sha256(previous).toString('hex') : '0'.repeat(64);
    chained.push(canonical({ ...parse(leaf), n: chained.length, p }));
  }
  return chained;
}

export function readEntries(directory: string): Buffer[] {
  const folder = join(directory, 'tile/entries');
  const bundles = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = bundles.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return paths.flatMap((path) => {
    const bytes = readFileSync(path);
    const entries: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt16BE(at);
      entries.push(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return entries;
  });
}

/** Files up to 65,536 entries: two levels of tiles, and no path that needs an `x`. */
export function writeEntries(directory: string, leaves: readonly Uint8Array[]): void {
  const bundles = chunks(leaves).map((some) =>
    Buffer.concat(some.flatMap((leaf) => [Buffer.of(leaf.length >> 8, leaf.length & 0xff), leaf])),
  );
  bundles.forEach((bundle, index) => put(directory, 'entries', index, leaves.length, bundle));
}

export function writeTiles(directory: string, leaves: readonly Uint8Array[]): void {
  const hashes = leaves.map((leaf) => treeHash([leaf]));
  chunks(hashes).forEach((tile, index) => put(directory, '0', index, leaves.length, Buffer.concat(tile)));
  const above = chunks(leaves).filter((some) => some.length === 256);
  if (above.length > 0)
    put(directory, '1', 0, above.length, Buffer.concat(above.map((some) => treeHash(some))));
}

/** All of a log that has exactly these entries; the checkpoint is for others to write. */
export function writeLog(directory: string, leaves: readonly Uint8Array[]): void {
  rmSync(join(directory, 'tile'), { recursive: true });
  writeEntries(directory, leaves);
  writeTiles(directory, leaves);
}

/** Signed by whoever has this key, under this name. */
export function signedHead(leaves: readonly Uint8Array[], key: Signer, origin = 'lineside/st07/1'): string {
  const text = `${origin}\n${leaves.length}\n${treeHash(leaves).toString('base64')}\n`;
  const raw = key.verifier.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const id = sha256(Buffer.concat([Buffer.from(`${origin}\n\u0001`), raw])).subarray(0, 4);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), key.privateKey)]).toString('base64');
  return `${text}\n— ${origin} ${signature}\n`;
}

export function keyOf(station: string): Signer {
  return readSigner('st07', readFileSync(join(station, 'station.key'), 'utf8'));
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / 256) }, (_, at) =>
    items.slice(at * 256, at * 256 + 256),
  );
}

function put(directory: string, level: string, index: number, size: number, bytes: Buffer): void {
  const width = Math.min(256, size - index * 256);
  const name = String(index).padStart(3, '0');
  const path = join(directory, 'tile', level, width === 256 ? name : `${name}.p/${width}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
