import { type BusSlave, describeAccess, type OnUnimplemented } from './bus.ts';

/** Peripherals without behaviour. Writes that a loader makes for no effect here are let through in silence. */
export class Unmodelled implements BusSlave {
  readonly base: number;
  readonly size: number;
  readonly #silent: (offset: number) => boolean;
  readonly #onUnimplemented: OnUnimplemented;

  constructor(
    base: number,
    size: number,
    onUnimplemented: OnUnimplemented,
    silent: (offset: number) => boolean = () => false,
  ) {
    this.base = base;
    this.size = size;
    this.#silent = silent;
    this.#onUnimplemented = onUnimplemented;
  }

  read(offset: number): number {
    this.#onUnimplemented(describeAccess('read', this.base + offset));
    return 0;
  }

  write(offset: number, value: number): void {
    if (!this.#silent(offset)) this.#onUnimplemented(describeAccess('write', this.base + offset, value));
  }
}
