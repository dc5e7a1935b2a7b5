import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';
import { bootOf, clockWasSet, driftMs, secondsOf } from '../writer.ts';

type Moment = Pick<Leaf, 't' | 'm'>;

/** What is carried over when only the rest of a log is read. */
export interface ClockState {
  readonly last: Moment | null;
  /** Starts of the PC that have ended. */
  readonly boots: readonly string[];
}

/** Time in a log: it goes on, or the log says that somebody set the clock; and no start of the PC comes back. */
export class Clock {
  #last: Moment | null;
  readonly #boots: Set<string>;

  constructor({ last, boots }: ClockState = { last: null, boots: [] }) {
    this.#last = last;
    this.#boots = new Set(boots);
  }

  see(leaf: Leaf): Finding | undefined {
    const before = this.#last;
    this.#last = leaf;
    if (before === null) return undefined;
    return this.#seeBoot(before, leaf) ?? seeTime(before, leaf);
  }

  get state(): ClockState {
    const { t, m } = this.#last ?? {};
    const last = t === undefined ? null : m === undefined ? { t } : { t, m };
    return { last, boots: [...this.#boots] };
  }

  #seeBoot(before: Moment, { n, m }: Leaf): Finding | undefined {
    if (before.m === undefined || m === undefined) return undefined;
    if (bootOf(m) === bootOf(before.m))
      return secondsOf(m) < secondsOf(before.m) ? finding('boot-back', { n }) : undefined;
    this.#boots.add(bootOf(before.m));
    return this.#boots.has(bootOf(m)) ? finding('boot-again', { n }) : undefined;
  }
}

function seeTime(before: Moment, leaf: Leaf): Finding | undefined {
  const { n, t, ev, was } = leaf;
  if (ev === 'clock.set') {
    const facts = { n, t, was: String(was) };
    return finding(was === before.t ? 'clock-set' : 'clock-false', facts);
  }
  // Twice what the writer takes for drift: it looked at the two clocks one after the other.
  if (!clockWasSet(before, leaf, 2 * driftMs)) return undefined;
  return finding(t < before.t ? 'clock-back' : 'clock-apart', { n, t });
}
