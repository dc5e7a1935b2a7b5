import { createCipheriv, createHash } from 'node:crypto';

/** Numbers that the same seed gives again, so that a failure can be. */
export interface Random {
  /** 0 to `limit` - 1. */
  below(limit: number): number;
  of<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
}

const blockLength = 1 << 16;

export function randomFrom(seed: number): Random {
  const key = createHash('sha256').update(`${seed}`).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  let block: Buffer = Buffer.alloc(0);
  let at = 0;
  const word = () => {
    if (at + 4 > block.length) {
      block = stream.update(Buffer.alloc(blockLength));
      at = 0;
    }
    at += 4;
    return block.readUInt32LE(at - 4);
  };
  return {
    below: (limit) => word() % limit,
    of: (list) => list[word() % list.length] as (typeof list)[number],
    bytes: (length) => stream.update(Buffer.alloc(length)),
  };
}
