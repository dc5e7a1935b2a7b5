import { hash } from 'node:crypto';

/*
 * The Merkle tree of RFC 6962 section 2.1 (the same in RFC 9162 section 2.1): SHA-256, one prefix for leaves and
 * another for nodes, so that neither passes for the other.
 */

/** The root of the complete subtree over the leaves from `place * 2 ** level` on; at level 0 the hash of a leaf. */
export interface TreeNode {
  readonly level: number;
  readonly place: number;
  readonly hash: Buffer;
}

export type NodePlace = Omit<TreeNode, 'hash'>;

const leafPrefix = Buffer.of(0x00);
const nodePrefix = Buffer.of(0x01);

/** "The hash of an empty list is the hash of an empty string." */
export const emptyRoot = sha256(Buffer.alloc(0));

export function leafHash(leaf: Uint8Array): Buffer {
  return sha256(Buffer.concat([leafPrefix, leaf]));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

/**
 * Where the complete subtrees lie that leaves `start` (inclusive) to `end` (exclusive) fall into, from left to right:
 * each as large as its start allows. From 0 on they are the edge of a tree of `end` leaves.
 */
export function subtrees(start: number, end: number): NodePlace[] {
  const places: NodePlace[] = [];
  for (let at = start; at < end; ) {
    let level = 0;
    let width = 1;
    while (at % (2 * width) === 0 && at + 2 * width <= end) {
      level += 1;
      width *= 2;
    }
    places.push({ level, place: at / width });
    at += width;
  }
  return places;
}

/** The complete subtrees that a tree of this size is made of. */
export function edgePlaces(size: number): NodePlace[] {
  return subtrees(0, size);
}

/**
 * Adds a leaf to a tree of which only the edge is at hand, and brings the edge forward.
 * @returns the nodes that are complete with this leaf, from its own hash upwards; they never change again
 */
export function grow(edge: TreeNode[], leaf: Uint8Array): TreeNode[] {
  return growByHash(edge, leafHash(leaf));
}

/** As `grow`, for a leaf that is known by its hash. */
export function growByHash(edge: TreeNode[], hash: Buffer): TreeNode[] {
  let node: TreeNode = { level: 0, place: sizeOf(edge), hash };
  const completed = [node];
  for (let left = edge.at(-1); left?.level === node.level; left = edge.at(-1)) {
    edge.pop();
    node = { level: node.level + 1, place: left.place / 2, hash: nodeHash(left.hash, node.hash) };
    completed.push(node);
  }
  edge.push(node);
  return completed;
}

export function sizeOf(edge: readonly TreeNode[]): number {
  const last = edge.at(-1);
  return last === undefined ? 0 : (last.place + 1) * 2 ** last.level;
}

/** The root of the tree that has this edge; 32 bytes. */
export function rootOf(edge: readonly Pick<TreeNode, 'hash'>[]): Buffer {
  const last = edge.at(-1);
  if (last === undefined) return emptyRoot;
  return edge.slice(0, -1).reduceRight((right, { hash }) => nodeHash(hash, right), last.hash);
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}
