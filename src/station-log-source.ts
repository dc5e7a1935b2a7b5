import type { NodePlace, TreeNode } from './log/merkle.ts';
import type { ReadNode } from './log/proof.ts';
import type { Finding } from './log/finding.ts';
import type { LogSource, Page } from './log/verify.ts';
import type { Registry } from './registry/registry.ts';

/** The log as it lies in the registry of a station, which somebody may have changed by hand. */
export class RegistrySource implements LogSource {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async *pages(from: number): AsyncGenerator<Page | Finding> {
    let n = from;
    for await (const rows of this.#registry.leafPages(from)) {
      const hashes = await this.#registry.nodes(0, n, n + rows.length);
      const leaves = rows.map(({ leaf }) => leaf);
      yield { leaves, hashes: leaves.map((_, at) => hashes[at]) };
      n += rows.length;
    }
  }

  readonly readNode: ReadNode = async (level, place) => {
    const [hash] = await this.#registry.nodes(level, place, place + 1);
    return hash ?? Buffer.alloc(32);
  };

  /** Level by level: the new nodes of a level lie side by side. */
  async differing(nodes: readonly TreeNode[]): Promise<NodePlace | undefined> {
    for (const level of new Set(nodes.map((node) => node.level))) {
      const side = nodes.filter((node) => node.level === level);
      const first = side[0]?.place ?? 0;
      const kept = await this.#registry.nodes(level, first, first + side.length);
      const differs = side.find(({ hash }, at) => kept[at]?.equals(hash) !== true);
      if (differs) return differs;
    }
    return undefined;
  }

  where({ level, place }: NodePlace): string {
    return `node ${level}/${place} in the registry`;
  }
}
