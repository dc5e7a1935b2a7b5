import { inspect } from 'node:util';

/**
 * The one place a private key lies in: memory outside the JavaScript heap, which the collector neither moves nor
 * copies, and which can be overwritten. Views are handed out by `take`; nothing else may hold the bytes.
 *
 * A typed array of 64 bytes or fewer would be kept inside the heap and copied when first passed to OpenSSL, and a
 * string could never be wiped; hence one whole page, and bytes only.
 */
export class SecretArena {
  readonly #bytes = new Uint8Array(new ArrayBuffer(4096));
  #used = 0;

  /** A view of the next `length` bytes, zero. @throws RangeError when the page is full */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (this.#used + length > this.#bytes.length) throw new RangeError('the secret arena is full');
    const view = this.#bytes.subarray(this.#used, this.#used + length);
    this.#used += length;
    return view;
  }

  /** Overwrites every view ever handed out. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#used = 0;
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
