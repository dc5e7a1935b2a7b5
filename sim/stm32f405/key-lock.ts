/** Two keys in a row open it; anything else shuts it until the next reset (RM0090 3.6.1). */
export class KeyLock {
  locked = true;
  readonly #keys: readonly [number, number];
  #given = 0;
  #jammed = false;

  constructor(first: number, second: number) {
    this.#keys = [first, second];
  }

  reset(): void {
    this.#jammed = false;
    this.close();
  }

  close(): void {
    this.locked = true;
    this.#given = 0;
  }

  offer(key: number): void {
    if (this.#jammed) return;
    if (key >>> 0 !== this.#keys[this.#given]) {
      this.close();
      this.#jammed = true;
    } else if (++this.#given === this.#keys.length) this.locked = false;
  }
}
