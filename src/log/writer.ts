import { encodeLeaf, type LeafContext } from './leaf.ts';
import { edgePlaces, grow } from './merkle.ts';

/** How far the wall clock may run apart from the boot clock before somebody must have set it. */
export const driftMs = 5 * 60_000;

/**
 * How a station's log is written. `foreword` is what must be said before anything else: that the clock was set. So
 * in a log that nobody forged, time never goes back without a word.
 */
export function logWriter(context: LeafContext) {
  return {
    encodeLeaf: encodeLeaf(context),
    foreword: (previous: Uint8Array, t: string) => {
      const before = JSON.parse(Buffer.from(previous).toString());
      return clockWasSet(before, { t, m: `${context.boot.id}:${context.boot.seconds()}` })
        ? { ev: 'clock.set', was: before.t }
        : undefined;
    },
    edgePlaces,
    grow,
  };
}

interface Moment {
  readonly t: string;
  /** Leaves of version 1 have none. */
  readonly m?: string;
}

/** Back, at any time; or apart from the boot clock by more than `drift`, if the PC was not started in between. */
export function clockWasSet(before: Moment, now: Moment, drift = driftMs): boolean {
  if (now.t < before.t) return true;
  if (before.m === undefined || now.m === undefined || bootOf(before.m) !== bootOf(now.m)) return false;
  const passed = Date.parse(now.t) - Date.parse(before.t);
  return Math.abs(passed - (secondsOf(now.m) - secondsOf(before.m)) * 1000) > drift;
}

/** `m` is 36 characters of boot id, a colon, and the seconds since then. */
export function bootOf(m: string): string {
  return m.slice(0, 36);
}

export function secondsOf(m: string): number {
  return Number(m.slice(37));
}
