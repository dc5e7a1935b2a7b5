import type { Form } from './key-forms.ts';

interface Needle {
  readonly label: string;
  readonly bytes: Buffer;
  /** Where in the needle the word lies by which it is looked up. */
  readonly at: number;
}

const filterBits = 22;

/**
 * Finds any window of any form of many keys in one pass. Every needle has 8 bytes or more, so wherever it lies it
 * covers a whole aligned word: only those are looked up, at all four places of the needle.
 */
export class KeyScanner {
  readonly #filter = new Uint8Array(1 << filterBits);
  readonly #needles = new Map<number, Needle[]>();
  #longest = 8;

  /** From now on these forms are looked for, and reported as `<owner>: <form>`. */
  add(owner: string, forms: readonly Form[]): this {
    for (const { name, bytes, window } of forms) {
      this.#longest = Math.max(this.#longest, window);
      for (let from = 0; from + window <= bytes.length; from += 1) {
        this.#addNeedle(`${owner}: ${name}`, bytes.subarray(from, from + window));
      }
    }
    return this;
  }

  /** So many bytes must be looked at twice where a search is cut in two. */
  get overlap(): number {
    return (this.#longest + 3) & ~3;
  }

  /** The labels found. */
  search(bytes: Buffer): Set<string> {
    const found = new Set<string>();
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
    for (let index = 0; index < words.length; index += 1) {
      const word = words[index] ?? 0;
      if (this.#filter[slot(word)] === 1) this.#compare(aligned, index * 4, word, found);
    }
    return found;
  }

  #compare(bytes: Buffer, place: number, word: number, found: Set<string>): void {
    for (const needle of this.#needles.get(word) ?? []) {
      const from = place - needle.at;
      const there = bytes.subarray(Math.max(from, 0), from + needle.bytes.length);
      if (there.equals(needle.bytes)) found.add(needle.label);
    }
  }

  #addNeedle(label: string, bytes: Buffer): void {
    for (let at = 0; at < 4; at += 1) {
      const word = new Uint32Array(new Uint8Array(bytes.subarray(at, at + 4)).buffer)[0] ?? 0;
      this.#filter[slot(word)] = 1;
      const others = this.#needles.get(word) ?? [];
      this.#needles.set(word, [...others, { label, bytes, at }]);
    }
  }
}

function slot(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - filterBits);
}
