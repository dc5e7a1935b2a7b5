import type { SecretArena } from '../secret.ts';

const digits = Buffer.from('0123456789abcdef');
const space = 0x20;

/** Tcl text with key words in it, written as bytes straight into the arena: it is never a string. */
export class SecretScript {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param room the longest script to come, in bytes */
  constructor(arena: SecretArena, room: number) {
    this.#bytes = arena.take(room);
  }

  /** The script so far: a view into the arena. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  restart(): void {
    this.#length = 0;
  }

  wipe(): void {
    this.#bytes.fill(0);
  }

  /** Public text. */
  text(text: string): void {
    for (const byte of Buffer.from(text)) this.#put(byte);
  }

  /**
   * Little-endian 32-bit words as OpenOCD prints them, `0x` and no leading zeros, so that it can compare them as
   * text. Digit by digit: a word made a number of would be boxed on the JavaScript heap and stay there.
   */
  words(words: Uint8Array): void {
    for (let at = 0; at < words.length; at += 4) {
      this.text('0x');
      let leading = true;
      for (let digit = 7; digit >= 0; digit -= 1) {
        const byte = words[at + (digit >> 1)] ?? 0;
        const value = digit & 1 ? byte >> 4 : byte & 15;
        if (leading && value === 0 && digit > 0) continue;
        leading = false;
        this.#put(digits[value] ?? 0);
      }
      if (at + 4 < words.length) this.#put(space);
    }
  }

  #put(byte: number): void {
    if (this.#length === this.#bytes.length) throw new RangeError('the script is longer than its room');
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }
}
