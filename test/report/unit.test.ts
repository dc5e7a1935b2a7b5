import { describe, expect, test } from 'vitest';
import { unitStates } from '../../src/device.ts';
import { learn, type UnitLeaf } from '../../src/report/unit.ts';
import { learned, voidLeaves } from './made-up.ts';

const boot = (n: number, seconds: number) => `f6b1c2d3-0000-4000-8000-00000000000${n}:${seconds.toFixed(2)}`;

function story(...leaves: (Omit<Partial<UnitLeaf>, 't'> & { readonly ev: string; readonly t?: string })[]) {
  const [id, t] = ['ABCD1234', '2026-11-25T06:00:00.000Z'];
  return learned(leaves.map((leaf, n) => ({ n, id, t, ...leaf })));
}

test('all that the log says of a unit is known of it', () => {
  const at = (t: string) => ({ t: `2026-11-25T06:00:${t}.000Z` });
  const unit = story(
    { ev: 'unit.reserved', to: 'reserved', ...at('00') },
    { ev: 'unit.keyed', to: 'keyed', csr: 'c5', spki: '5b', ...at('01') },
    { ev: 'unit.flashing', to: 'flashing', uid: 'AA', probe: 'a', fw: 'f0', ...at('02') },
    { ev: 'unit.flashed', to: 'flashed', ...at('05') },
    { ev: 'unit.verified', to: 'verified', proof: 'read-back', locked: false, ...at('07') },
    { ev: 'unit.exported', to: 'exported', batch: 3, ...at('08') },
    { ev: 'unit.certified', to: 'certified', batch: 2, cert: 'ce', generation: 1, ...at('09') },
    { ev: 'unit.installed', to: 'installed', generation: 1, locked: true, ...at('10') },
    { ev: 'unit.reissued', batch: 4, cert: 'cf', generation: 2, ...at('11') },
  );
  expect(unit).toMatchObject({
    id: 'ABCD1234',
    state: 'installed',
    outcome: 'good',
    probe: 'a',
    uid: 'AA',
    firmware: 'f0',
    csr: 'c5',
    spki: '5b',
    proof: 'read-back',
    locked: true,
    batch: 3,
    reason: null,
    certificate: 'cf',
    generation: 2,
    installed: 1,
    seconds: 7,
    reservedAt: '2026-11-25T06:00:00.000Z',
    settledAt: '2026-11-25T06:00:07.000Z',
    changedAt: '2026-11-25T06:00:11.000Z',
  });
});

test('a unit is good from verified on, void for ever, and in doubt before', () => {
  const outcomes = unitStates.map((to) => [to, story({ ev: `unit.${to}`, to }).outcome]);
  expect(Object.fromEntries(outcomes)).toEqual({
    reserved: 'in doubt',
    keyed: 'in doubt',
    flashing: 'in doubt',
    flashed: 'in doubt',
    verified: 'good',
    exported: 'good',
    certified: 'good',
    installed: 'good',
    void: 'void',
  });
});

describe('how long a unit took', () => {
  const took = (from: Partial<UnitLeaf>, to: Partial<UnitLeaf>) =>
    story({ ev: 'unit.reserved', to: 'reserved', ...from }, { ev: 'unit.verified', to: 'verified', ...to })
      .seconds;
  const [six, seven] = ['2026-11-25T06:00:00.000Z', '2026-11-25T07:00:00.000Z'];

  test('is told by the boot clock, whatever the wall clock was set to meanwhile', () => {
    expect(took({ t: six, m: boot(1, 100) }, { t: seven, m: boot(1, 104.25) })).toBe(4.25);
  });
  test('is told by the wall clock if the PC was started in between, or the leaves are of version 1', () => {
    expect(took({ t: six, m: boot(1, 100) }, { t: seven, m: boot(2, 5) })).toBe(3600);
    expect(took({ t: six }, { t: seven })).toBe(3600);
  });
  test('is never below nothing', () => {
    expect(took({ t: seven }, { t: six })).toBe(0);
  });
});

test('a unit that was good and then given up is void, and took as long as it took to be good', () => {
  const unit = story(
    { ev: 'unit.reserved', to: 'reserved', m: boot(1, 0) },
    { ev: 'unit.verified', to: 'verified', proof: 'read-back', locked: false, m: boot(1, 6) },
    { ev: 'unit.void', to: 'void', reason: 'dropped', m: boot(1, 900), t: '2026-11-25T06:15:00.000Z' },
  );
  expect(unit).toMatchObject({ outcome: 'void', seconds: 6, settledAt: '2026-11-25T06:15:00.000Z' });
});

test('a log whose first leaf of a unit is not its first still gives a unit', () => {
  expect(learn(undefined, { ...voidLeaves(0, 'x', 'a')[3] } as UnitLeaf)).toMatchObject({ outcome: 'void' });
});
