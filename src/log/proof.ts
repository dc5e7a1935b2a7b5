import { type NodePlace, nodeHash, rootOf, subtrees } from './merkle.ts';

/** Gives the hash of a complete subtree, 32 bytes, as the writer of a log has kept it. */
export type ReadNode = (level: number, place: number) => Promise<Buffer>;

export async function rootAt(read: ReadNode, size: number): Promise<Buffer> {
  return rootOf(await readAll(read, subtrees(0, size)));
}

/**
 * The proof that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962 section 2.1.1, lowest sibling first.
 */
export async function inclusionProof(read: ReadNode, index: number, size: number): Promise<Buffer[]> {
  const siblings: [start: number, end: number][] = [];
  for (let [start, end] = [0, size]; end - start > 1; ) {
    const middle = start + splitOf(end - start);
    siblings.unshift(index < middle ? [middle, end] : [start, middle]);
    [start, end] = index < middle ? [start, middle] : [middle, end];
  }
  return Promise.all(siblings.map(([start, end]) => hashOver(read, start, end)));
}

/**
 * The proof that the tree of `size` leaves begins with the tree of `from` leaves: PROOF of RFC 6962 section 2.1.2.
 * Empty from nothing, and from a tree to itself.
 */
export async function consistencyProof(read: ReadNode, from: number, size: number): Promise<Buffer[]> {
  if (from === 0 || from === size) return [];
  const ranges: [start: number, end: number][] = [];
  let [start, end] = [0, size];
  while (from !== end) {
    const middle = start + splitOf(end - start);
    ranges.unshift(from <= middle ? [middle, end] : [start, middle]);
    [start, end] = from <= middle ? [start, middle] : [middle, end];
  }
  if (start > 0) ranges.unshift([start, end]); // from 0 it is the old root itself, which the verifier has
  return Promise.all(ranges.map(([first, last]) => hashOver(read, first, last)));
}

/**
 * Whether the proof leads from the leaf to the root: RFC 9162 section 2.1.3.2. Every argument may come from an
 * attacker.
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  let [first, second] = [index, size - 1];
  let hash = leafHash;
  for (const sibling of proof) {
    if (second === 0 || !isHash(sibling)) return false;
    if (first % 2 === 1 || first === second) {
      hash = nodeHash(sibling, hash);
      while (first % 2 === 0 && first > 0) [first, second] = [half(first), half(second)];
    } else hash = nodeHash(hash, sibling);
    [first, second] = [half(first), half(second)];
  }
  return second === 0 && equal(hash, root);
}

/**
 * Whether the proof leads from the root of the smaller tree to that of the larger: RFC 9162 section 2.1.4.2, and
 * beyond its words the two cases that have an empty proof. Every argument may come from an attacker.
 */
export function verifyConsistency(
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(older.size) || !isCount(newer.size) || older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && equal(older.root, newer.root);
  if (older.size === 0) return proof.length === 0 && equal(older.root, rootOf([]));
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  const [start, ...rest] = path;
  if (proof.length === 0 || start === undefined || !path.every(isHash)) return false;
  let [first, second] = [older.size - 1, newer.size - 1];
  while (first % 2 === 1) [first, second] = [half(first), half(second)];
  let [olderHash, newerHash] = [start, start];
  for (const sibling of rest) {
    if (second === 0) return false;
    if (first % 2 === 1 || first === second) {
      [olderHash, newerHash] = [nodeHash(sibling, olderHash), nodeHash(sibling, newerHash)];
      while (first % 2 === 0 && first > 0) [first, second] = [half(first), half(second)];
    } else newerHash = nodeHash(newerHash, sibling);
    [first, second] = [half(first), half(second)];
  }
  return second === 0 && equal(olderHash, older.root) && equal(newerHash, newer.root);
}

/** The largest power of two below `size`: where the RFC splits a tree. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

async function hashOver(read: ReadNode, start: number, end: number): Promise<Buffer> {
  return rootOf(await readAll(read, subtrees(start, end)));
}

async function readAll(read: ReadNode, places: readonly NodePlace[]): Promise<{ hash: Buffer }[]> {
  return Promise.all(places.map(async ({ level, place }) => ({ hash: await read(level, place) })));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: Uint8Array): boolean {
  return value.length === 32;
}

/** Not `>> 1`, which would cut at 32 bits. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
