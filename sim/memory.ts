import type { BusSlave, Width } from './bus.ts';

/** Plain memory: RAM, and the array behind a flash controller. */
export class Memory implements BusSlave {
  readonly base: number;
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(base: number, size: number, fill: number) {
    this.base = base;
    this.size = size;
    this.bytes = new Uint8Array(size).fill(fill);
    this.#view = new DataView(this.bytes.buffer);
  }

  read(offset: number, width: Width): number {
    if (width === 4) return this.#view.getInt32(offset, true);
    return width === 2 ? this.#view.getUint16(offset, true) : this.#view.getUint8(offset);
  }

  write(offset: number, value: number, width: Width): void {
    if (width === 4) this.#view.setInt32(offset, value, true);
    else if (width === 2) this.#view.setUint16(offset, value, true);
    else this.#view.setUint8(offset, value);
  }
}
