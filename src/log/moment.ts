/** When something was written, by both clocks of the PC. */
export interface Moment {
  /** ISO 8601 UTC: a claim of the clock that people set. */
  readonly t: string;
  /** The same in milliseconds since 1970. */
  readonly ms: number;
  /** Which start of the PC it was; leaves of version 1 do not say. */
  readonly boot: string | undefined;
  /** Since that start: nobody sets this clock. */
  readonly seconds: number;
}

/** `m` is 36 characters of boot id, a colon, and the seconds. */
export function momentOf(t: string, m: string | undefined): Moment {
  return { t, ms: Date.parse(t), boot: m?.slice(0, 36), seconds: m === undefined ? 0 : Number(m.slice(37)) };
}

/** How far the wall clock may run apart from the boot clock before somebody must have set it. */
export const driftMs = 5 * 60_000;

/** Back, at any time; or apart from the boot clock by more than `drift`, if the PC was not started in between. */
export function clockWasSet(before: Moment, now: Moment, drift: number): boolean {
  if (now.ms < before.ms) return true;
  if (now.boot === undefined || now.boot !== before.boot) return false;
  return Math.abs(now.ms - before.ms - (now.seconds - before.seconds) * 1000) > drift;
}
