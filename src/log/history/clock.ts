import { type Finding, finding } from '../finding.ts';
import type { Leaf } from '../leaf.ts';
import { clockWasSet, driftMs, type Moment, momentOf } from '../moment.ts';

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

  get state(): ClockState {
    return { last: this.#last, boots: [...this.#boots] };
  }

  see(leaf: Leaf): Finding | undefined {
    const before = this.#last;
    const now = momentOf(leaf.t, leaf.m);
    this.#last = now;
    if (before === null) return undefined;
    return this.#seeBoot(before, now, leaf.n) ?? seeTime(before, now, leaf);
  }

  #seeBoot(before: Moment, now: Moment, n: number): Finding | undefined {
    if (before.boot === undefined || now.boot === undefined) return undefined;
    if (now.boot === before.boot)
      return now.seconds < before.seconds ? finding('boot-back', { n }) : undefined;
    this.#boots.add(before.boot);
    return this.#boots.has(now.boot) ? finding('boot-again', { n }) : undefined;
  }
}

function seeTime(before: Moment, now: Moment, { n, t, ev, was }: Leaf): Finding | undefined {
  if (ev === 'clock.set')
    return finding(was === before.t ? 'clock-set' : 'clock-false', { n, t, was: String(was) });
  // Twice what the writer takes for drift: it looked at the two clocks one after the other.
  if (!clockWasSet(before, now, 2 * driftMs)) return undefined;
  return finding(now.ms < before.ms ? 'clock-back' : 'clock-apart', { n, t });
}
