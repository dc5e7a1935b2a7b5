import { join } from 'node:path';
import { readPlainFile } from './plain-file.ts';
import { type Finding, finding } from './finding.ts';
import { type NodePlace, nodeHash, type TreeNode } from './merkle.ts';
import type { ReadNode } from './proof.ts';
import {
  largestBundle,
  splitBundle,
  splitTile,
  tileHeight,
  type TilePlace,
  tilePath,
  tileWidth,
  tileWidthAt,
} from './tiles.ts';
import type { LogSource, Page } from './verify.ts';

/** A log as `log export` writes it: the first `size` entries of the files in a directory that nobody vouches for. */
export class ExportSource implements LogSource {
  readonly #directory: string;
  readonly #size: number;
  /** The tile read last of each level: its neighbours are asked for next. */
  readonly #tiles = new Map<number, { readonly index: number; readonly hashes: readonly Buffer[] }>();

  constructor(directory: string, size: number) {
    this.#directory = directory;
    this.#size = size;
  }

  /** @throws LinesideError `log-unreadable` */
  async *pages(from: number): AsyncGenerator<Page | Finding> {
    for (let index = Math.floor(from / tileWidth); index * tileWidth < this.#size; index += 1) {
      const width = tileWidthAt(0, index, this.#size);
      const place: TilePlace = { level: 'entries', index, width };
      const bytes = await readPlainFile(this.#path(place), largestBundle);
      const leaves = bytes && splitBundle(bytes, width);
      if (leaves === undefined) {
        yield finding('bundle-form', { path: tilePath(place) });
        return;
      }
      const hashes = await this.#tile(0, index);
      const skip = Math.max(0, from - index * tileWidth);
      yield { leaves: leaves.slice(skip), hashes: leaves.map((_, at) => hashes[at]).slice(skip) };
    }
  }

  /** Levels between those of the tiles are hashed from the tile below. @throws LinesideError `log-unreadable` */
  readonly readNode: ReadNode = async (level, place) => {
    const within = level % tileHeight;
    const first = place * 2 ** within;
    const hashes = await this.#tile((level - within) / tileHeight, Math.floor(first / tileWidth));
    const from = first % tileWidth;
    let row = Array.from({ length: 2 ** within }, (_, at) => hashes[from + at] ?? Buffer.alloc(32));
    while (row.length > 1) row = pairs(row);
    return row[0] ?? Buffer.alloc(32);
  };

  async differing(nodes: readonly TreeNode[]): Promise<NodePlace | undefined> {
    for (const { level, place, hash } of nodes) {
      if (level % tileHeight !== 0) continue;
      const hashes = await this.#tile(level / tileHeight, Math.floor(place / tileWidth));
      if (hashes[place % tileWidth]?.equals(hash) !== true) return { level, place };
    }
    return undefined;
  }

  where({ level, place }: NodePlace): string {
    const tile = Math.floor(level / tileHeight);
    const index = Math.floor(place / tileWidth);
    return `${tilePath({ level: tile, index, width: tileWidthAt(tile, index, this.#size) })}, hash ${place % tileWidth},`;
  }

  /** The hashes of a tile; none of a file that is no tile of its width. */
  async #tile(level: number, index: number): Promise<readonly Buffer[]> {
    const known = this.#tiles.get(level);
    if (known?.index === index) return known.hashes;
    const width = tileWidthAt(level, index, this.#size);
    const bytes = await readPlainFile(this.#path({ level, index, width }), tileWidth * 32);
    const hashes = (bytes && splitTile(bytes, width)) ?? [];
    this.#tiles.set(level, { index, hashes });
    return hashes;
  }

  #path(place: TilePlace): string {
    return join(this.#directory, tilePath(place));
  }
}

function pairs(row: readonly Buffer[]): Buffer[] {
  return Array.from({ length: row.length / 2 }, (_, at) =>
    nodeHash(row[2 * at] ?? Buffer.alloc(0), row[2 * at + 1] ?? Buffer.alloc(0)),
  );
}
