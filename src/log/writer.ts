import { encodeLeaf, type LeafContext } from './leaf.ts';
import { edgePlaces, grow } from './merkle.ts';
import { clockWasSet, driftMs, momentOf } from './moment.ts';

/**
 * How a station's log is written. `foreword` is what must be said before anything else: that the clock was set. So
 * in a log that nobody forged, time never goes back without a word.
 */
export function logWriter(context: LeafContext) {
  const { id, seconds } = context.boot;
  return {
    encodeLeaf: encodeLeaf(context),
    foreword: (previous: Uint8Array, t: string) => {
      const before = JSON.parse(Buffer.from(previous).toString());
      const now = momentOf(t, `${id}:${seconds()}`);
      return clockWasSet(momentOf(before.t, before.m), now, driftMs)
        ? { ev: 'clock.set', was: before.t }
        : undefined;
    },
    edgePlaces,
    grow,
  };
}
