import type { LeafContext } from '../../src/log/leaf.ts';

/** Who writes the logs of tests: a PC that was started once and asleep ever since. */
export const context: LeafContext = {
  station: 'st07',
  sw: '0.1.0',
  boot: { id: 'f6b1c2d3-0000-4000-8000-000000000001', seconds: () => 5123.44 },
};
