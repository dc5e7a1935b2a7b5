import { hash } from 'node:crypto';
import type { Checkpoint } from './checkpoint.ts';
import { type Finding, finding } from './finding.ts';
import type { History } from './history/history.ts';
import { readLeaf } from './leaf.ts';
import {
  edgePlaces,
  emptyRoot,
  growByHash,
  leafHash,
  type NodePlace,
  rootOf,
  sizeOf,
  type TreeNode,
} from './merkle.ts';
import type { ReadNode } from './proof.ts';

/** Some entries of a log, one after the other, as they are kept. */
export interface Page {
  readonly leaves: readonly Uint8Array[];
  /** What is kept as the hash of each; one that is missing is undefined. */
  readonly hashes: readonly (Uint8Array | undefined)[];
}

/** A log to be verified, wherever it is kept, of which nothing is believed. */
export interface LogSource {
  /** All entries from `from` on. The last page may be followed by what is wrong with the next one. */
  pages(from: number): AsyncIterable<Page | Finding>;
  readonly readNode: ReadNode;
  /** The first of these nodes that is kept with another hash, if there is one. */
  differing(nodes: readonly TreeNode[]): Promise<NodePlace | undefined>;
  /** Where a node is kept, in words. */
  where(place: NodePlace): string;
}

/** A checkpoint that the log has to fit, and what it is called if it differs from it, or is too short. */
export interface Head extends Pick<Checkpoint, 'size' | 'root'> {
  readonly differs: 'root-differs' | 'forked';
  readonly short: 'log-cut' | 'rolled-back';
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Of the entries that were read, and those before them. */
  readonly size: number;
  readonly root: Buffer;
  readonly history: History;
}

/** More than a person reads; the rest is of the same kind. */
const mostFindings = 50;

/**
 * Reads a log and says what is wrong with it. Its tree is grown anew from the entries; the kept hashes only help to say
 * which entry is wrong when the tree does not have the root that was signed.
 * @param history what is known of the entries before the first that is read
 */
export async function verifyLog(
  source: LogSource,
  heads: readonly Head[],
  history: History,
): Promise<Verdict> {
  const tree = new TreeCheck(heads, await edgeAt(source, history.size));
  const judge = new Judge(history);
  let stopped: Finding | undefined;
  let node: NodePlace | undefined;
  for await (const page of source.pages(history.size)) {
    if ('code' in page) {
      stopped = page;
      break;
    }
    const nodes = page.leaves.flatMap((leaf, at) => {
      judge.see(leaf, tree.size);
      return tree.add(leaf, page.hashes[at]);
    });
    node ??= await source.differing(nodes);
  }
  const structure = stopped ? [...tree.changes(), stopped] : tree.findings(source, node);
  return { findings: judge.findings(structure), size: tree.size, root: tree.root, history };
}

/** Whether the log still has `head` at its beginning, by the nodes it keeps. */
export async function beginsWith(
  source: LogSource,
  head: Pick<Checkpoint, 'size' | 'root'>,
): Promise<boolean> {
  return rootOf(await edgeAt(source, head.size)).equals(head.root);
}

async function edgeAt(source: LogSource, size: number): Promise<TreeNode[]> {
  const edge: TreeNode[] = [];
  for (const { level, place } of edgePlaces(size))
    edge.push({ level, place, hash: await source.readNode(level, place) });
  return edge;
}

/** Grows the tree from the entries, and beside it, from the first on that differs, the tree of the kept hashes. */
class TreeCheck {
  readonly #heads: readonly Head[];
  readonly #edge: TreeNode[];
  #keptEdge: TreeNode[] | undefined;
  /** The first entry that is not what is kept as its hash. */
  #differs: { readonly n: number; readonly leaf: Uint8Array } | undefined;
  readonly #broken: Head[] = [];
  /** Those of the broken that the kept hashes fit. */
  #keptFits = 0;

  constructor(heads: readonly Head[], edge: TreeNode[]) {
    this.#heads = heads;
    this.#edge = edge;
  }

  get size(): number {
    return sizeOf(this.#edge);
  }

  get root(): Buffer {
    return rootOf(this.#edge);
  }

  /** @returns the nodes above the entry that are complete with it */
  add(leaf: Uint8Array, kept: Uint8Array | undefined): TreeNode[] {
    const hashed = leafHash(leaf);
    if (this.#keptEdge === undefined && (kept === undefined || !hashed.equals(kept))) {
      this.#keptEdge = [...this.#edge];
      this.#differs = { n: this.size, leaf };
    }
    if (this.#keptEdge) growByHash(this.#keptEdge, Buffer.from(kept ?? emptyRoot));
    const [, ...above] = growByHash(this.#edge, hashed);
    for (const head of this.#heads) if (head.size === this.size) this.#compare(head);
    return above;
  }

  /** What can be said when not all entries could be read. */
  changes(): Finding[] {
    return this.#differs ? [changed(this.#differs)] : [];
  }

  #compare(head: Head): void {
    if (this.root.equals(head.root)) return;
    this.#broken.push(head);
    if (this.#keptEdge && rootOf(this.#keptEdge).equals(head.root)) this.#keptFits += 1;
  }

  /** @param node the first node above the entries that is kept with another hash */
  findings(source: LogSource, node: NodePlace | undefined): Finding[] {
    const missed = this.#heads.filter(({ size }) => size > this.size);
    if (missed.length > 0)
      return missed.map(({ short, size }) => finding(short, { size: this.size, signed: size }));
    if (this.#broken.length > this.#keptFits)
      return this.#broken.map(({ differs, size }) => finding(differs, { size, signed: size }));
    const signed = Math.max(0, ...this.#heads.map(({ size }) => size));
    const differs = this.#differs;
    if (differs && (this.#broken.length > 0 || differs.n >= signed)) return this.changes();
    const place = differs ? { level: 0, place: differs.n } : node;
    return place ? [finding('node-changed', { path: source.where(place) })] : [];
  }
}

/** What was done to an entry whose hash tells that it was another. */
function changed({ n, leaf }: { readonly n: number; readonly leaf: Uint8Array }): Finding {
  const found = readLeaf(leaf)?.n ?? n;
  if (found > n) return finding('leaf-missing', { n, found });
  return found < n ? finding('leaf-again', { n, found }) : finding('leaf-changed', { n });
}

/** Judges what the entries say, until one of them has no place in the log. */
class Judge {
  readonly #history: History;
  readonly #remarks: { readonly n: number; readonly found: Finding }[] = [];
  #stopped = false;

  constructor(history: History) {
    this.#history = history;
  }

  see(bytes: Uint8Array, n: number): void {
    if (this.#stopped) return;
    const leaf = readLeaf(bytes);
    const fault = leaf === undefined ? finding('leaf-form', { n }) : this.#history.misplaced(leaf);
    const found =
      leaf === undefined || fault ? [fault] : this.#history.see(leaf, hash('sha256', bytes, 'hex'));
    for (const each of found) if (each) this.#remarks.push({ n, found: each });
    this.#stopped = fault !== undefined || this.#remarks.length > mostFindings;
  }

  /** All there is to say. After an entry that was changed the others say nothing more of their own. */
  findings(structure: readonly Finding[]): Finding[] {
    const first = Math.min(...structure.map(({ facts }) => Number(facts['n'] ?? Number.POSITIVE_INFINITY)));
    const last = this.#stopped || structure.length > 0 ? [] : this.#history.settle();
    return [...structure, ...this.#remarks.filter(({ n }) => n < first).map(({ found }) => found), ...last];
  }
}
