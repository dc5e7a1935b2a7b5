/*
 * Frames on a serial line (RFC 1055): an END on either side, so that a receiver is in step again after one of them,
 * whatever came before.
 */
const end = 0xc0;
const escape = 0xdb;
const escapedEnd = 0xdc;
const escapedEscape = 0xdd;

export function encodeSlip(frame: Uint8Array): Uint8Array {
  const bytes = Array.from(frame).flatMap((byte) => {
    if (byte === end) return [escape, escapedEnd];
    return byte === escape ? [escape, escapedEscape] : [byte];
  });
  return Uint8Array.of(end, ...bytes, end);
}

/** Takes bytes as they come. It holds `room` of them and no more: a frame that is longer, or badly escaped, is dropped. */
export class SlipDecoder {
  readonly #frame: Uint8Array;
  #length = 0;
  #escaped = false;
  #spoiled = false;

  constructor(room: number) {
    this.#frame = new Uint8Array(room);
  }

  /** The frames that are complete with these bytes. */
  *decode(bytes: Uint8Array): Generator<Uint8Array> {
    for (const byte of bytes) {
      if (byte !== end) this.#take(byte);
      else {
        const whole = this.#length > 0 && !this.#spoiled && !this.#escaped;
        if (whole) yield this.#frame.slice(0, this.#length);
        this.#length = 0;
        this.#escaped = false;
        this.#spoiled = false;
      }
    }
  }

  #take(byte: number): void {
    if (this.#spoiled) return;
    if (this.#escaped) this.#unescape(byte);
    else if (byte === escape) this.#escaped = true;
    else this.#put(byte);
  }

  #unescape(byte: number): void {
    this.#escaped = false;
    if (byte === escapedEnd) this.#put(end);
    else if (byte === escapedEscape) this.#put(escape);
    else this.#spoiled = true;
  }

  #put(byte: number): void {
    if (this.#length === this.#frame.length) this.#spoiled = true;
    else this.#frame[this.#length++] = byte;
  }
}
