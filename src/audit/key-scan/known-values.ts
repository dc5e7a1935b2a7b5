/**
 * Which 32-byte values are public: hashes, and numbers of public keys and signatures. A Bloom filter, because they are
 * many: what was added is always found, and of a million others a few seem to be there. Its eight hash functions are the eight words of a value, which nobody can tell from random ones.
 */
export class KnownValues {
  readonly #bits: Uint32Array;
  readonly #mask: number;

  /** @param expected how many will be added, about; 5 to 10 bytes for each, 512 MiB at the most */
  constructor(expected: number) {
    const log2 = Math.min(32, Math.max(16, Math.ceil(Math.log2(expected * 40))));
    this.#bits = new Uint32Array(2 ** (log2 - 5));
    this.#mask = 2 ** (log2 - 5) - 1;
  }

  /** @returns whether it seems to have been added before */
  add(value: Uint8Array): boolean {
    let before = true;
    for (let at = 0; at < 32; at += 4) {
      const word = wordAt(value, at);
      const [place, bit] = [(word >>> 5) & this.#mask, 1 << (word & 31)];
      const bits = this.#bits[place] ?? 0;
      if ((bits & bit) === 0) before = false;
      this.#bits[place] = bits | bit;
    }
    return before;
  }

  /** Whether the 32 bytes from `from` on were added. */
  has(bytes: Uint8Array, from: number): boolean {
    for (let at = from; at < from + 32; at += 4) {
      const word = wordAt(bytes, at);
      if (((this.#bits[(word >>> 5) & this.#mask] ?? 0) & (1 << (word & 31))) === 0) return false;
    }
    return true;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}
