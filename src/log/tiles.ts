/*
 * The files of a log (https://c2sp.org/tlog-tiles), for tools of others to read: tiles of 256 hashes at every eighth
 * level of the tree, and bundles of 256 entries.
 */

/** Hashes in a full tile, entries in a full bundle. */
export const tileWidth = 256;
/** A tile is a subtree of this height. */
export const tileHeight = 8;
/** 256 entries of 4 KiB, each after its length. */
export const largestBundle = tileWidth * (4096 + 2);
const hashLength = 32;

/** A tile or bundle as a tree of some size has it; `width` below 256 makes it a partial one. */
export interface TilePlace {
  /** Tile level, 0 for the hashes of leaves; bundles have `entries`. */
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** `tile/0/x001/x234/067`, and `.p/<width>` after it if the tile is partial. */
export function tilePath({ level, index, width }: TilePlace): string {
  const digits = String(index).padStart(3 * Math.ceil(String(index).length / 3), '0');
  const path = digits.replace(/\d{3}(?=\d)/g, 'x$&/');
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** How wide the tile is in a tree of `size` leaves; 0 if it has none there. */
export function tileWidthAt(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / tileWidth ** level);
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/** All tiles and bundles of a tree of `size` leaves, the bundles last. */
export function* tilesOf(size: number): Generator<TilePlace> {
  for (let level = 0; size >= tileWidth ** level; level += 1) yield* tilesAt(level, level, size);
  yield* tilesAt('entries', 0, size);
}

function* tilesAt(name: TilePlace['level'], level: number, size: number): Generator<TilePlace> {
  for (let index = 0; ; index += 1) {
    const width = tileWidthAt(level, index, size);
    if (width === 0) return;
    yield { level: name, index, width };
  }
}

/** The hashes of a tile of this width; undefined if it has another length. */
export function splitTile(bytes: Buffer, width: number): Buffer[] | undefined {
  if (bytes.length !== width * hashLength) return undefined;
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * hashLength, (at + 1) * hashLength));
}

/** "sequences of big-endian uint16 length-prefixed log entries" */
export function formatBundle(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(entries.flatMap((entry) => [prefixOf(entry), entry]));
}

/** The entries of a bundle of this width; undefined if it has not exactly so many. */
export function splitBundle(bytes: Buffer, width: number): Buffer[] | undefined {
  const entries: Buffer[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return at === bytes.length && entries.length === width ? entries : undefined;
}

function prefixOf({ length }: Uint8Array): Buffer {
  const prefix = Buffer.alloc(2);
  prefix.writeUInt16BE(length);
  return prefix;
}
