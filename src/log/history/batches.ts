import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';

export interface BatchState {
  /** The last batch that went out, and whether it is on its medium. */
  readonly out: number;
  readonly written: boolean;
  readonly in: number;
}

/** The batches of a station as its log tells of them: each after the one before it, each whole. */
export class Batches {
  #state: BatchState;

  constructor(state: BatchState = { out: 0, written: true, in: 0 }) {
    this.#state = state;
  }

  get state(): BatchState {
    return this.#state;
  }

  see({ n, ev, batch }: Leaf): Finding | undefined {
    const next = this.#after(ev, Number(batch));
    if (next === undefined) return finding('batch-order', { n, ev, batch: Number(batch) });
    this.#state = next;
    return undefined;
  }

  /** The state after this event; undefined if it cannot follow. */
  #after(ev: string, batch: number): BatchState | undefined {
    const { out, written } = this.#state;
    switch (ev) {
      case 'export.batch':
        return batch === out + 1 && written ? { ...this.#state, out: batch, written: false } : undefined;
      case 'export.written':
        return batch === out && !written ? { ...this.#state, written: true } : undefined;
      case 'import.batch':
        return batch === this.#state.in + 1 ? { ...this.#state, in: batch } : undefined;
      case 'unit.exported':
        return batch === out && !written ? this.#state : undefined;
      case 'unit.certified':
      case 'unit.reissued':
        return batch === this.#state.in && batch > 0 ? this.#state : undefined;
      default:
        return this.#state;
    }
  }
}
