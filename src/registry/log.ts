/** What happened, before the log gives it a place: the registry writes one with every change, or with none. */
export interface LogEvent {
  readonly ev: string;
  readonly [key: string]: string | number | boolean | null;
}

/** Turns an event into the exact bytes of leaf `n`, chained to the leaf before it (32 bytes, null for the first). */
type EncodeLeaf = (event: LogEvent, n: number, previous: Uint8Array | null) => Uint8Array;

/** A node of the tree over the leaves: the root of the complete subtree from leaf `place * 2 ** level` on. */
export interface TreeNode {
  readonly level: number;
  readonly place: number;
  /** 32 bytes. */
  readonly hash: Buffer;
}

/** How the log is written: handed in, because the registry keeps leaves and nodes and understands neither. */
export interface LogWriter {
  readonly encodeLeaf: EncodeLeaf;
  /** What has to be logged before anything else at time `t`, after this leaf. */
  readonly foreword: (previous: Uint8Array, t: string) => LogEvent | undefined;
  /** Where the nodes lie that a tree of this size is made of. */
  readonly edgePlaces: (size: number) => readonly Omit<TreeNode, 'hash'>[];
  /** Adds a leaf to the tree with this edge, brings the edge forward, and gives the nodes that are now complete. */
  readonly grow: (edge: TreeNode[], leaf: Uint8Array) => readonly TreeNode[];
}

/** A log that goes on under a new origin, and the last checkpoint of the one it leaves. */
export interface NewEpoch {
  readonly epoch: number;
  readonly before: number;
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly root: string;
  readonly reason: string;
}
