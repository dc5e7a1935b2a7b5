import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Board } from '../../sim/board.ts';
import { faultForms } from '../../sim/faults.ts';
import { type ErrorCode, errorTable } from '../../src/errors.ts';
import { keepsItsBits, looksWhole, ran, someFirmware } from './faulty-boards.ts';

/*
 * Every fault the simulator knows (sim/faults.ts), on boards of their own in one run, because no lane may disturb
 * another. A number counts the bytes that the flash has taken: the 164 bytes of the body, then the magic word.
 */

const workshop = mkdtempSync(join(tmpdir(), 'lineside-faults-'));
const firmware = join(workshop, 'firmware.bin');
writeFileSync(firmware, someFirmware(12_288));
afterAll(() => rmSync(workshop, { recursive: true }));

/** What must have become of a unit whose board had the fault. */
interface End {
  readonly unit: 'none' | 'void' | 'void, page blank' | 'void, page whole';
  readonly next: (board: Board) => void;
  readonly options?: readonly string[];
}
const anotherBoard = (board: Board) => board.swap();
const theSameBoard = (board: Board) => board.powerCycle();
const seen = new Set<string>();

faultsEndIn(
  'a board that cannot be reached costs no id',
  { unit: 'none', next: anotherBoard },
  {
    absent: 'target-absent',
    'unplugged@0': 'target-absent',
    'wait-forever': 'target-absent',
    'parity-once': 'target-absent',
    parity: 'target-absent',
    'probe-gone@0': 'probe-unreachable',
  },
);

faultsEndIn(
  'a board that is not the chip, or is locked, costs no id',
  { unit: 'none', next: anotherBoard },
  {
    'wrong-dpidr': 'wrong-debug-port',
    'no-ctrl-ap': 'wrong-control-port',
    'other-core': 'wrong-core',
    'wrong-chip': 'wrong-chip',
    'small-flash': 'wrong-chip',
    locked: 'target-locked',
  },
);

faultsEndIn(
  'a board whose identity page cannot be read costs no id',
  { unit: 'none', next: anotherBoard },
  {
    'fault@0xFF000': 'read-failed',
    'fault@0xFF010': 'read-failed',
  },
);

faultsEndIn(
  'a board that goes away before the magic word is void',
  { unit: 'void', next: theSameBoard },
  {
    'unplugged@2': 'write-failed',
    'unplugged@64': 'write-failed',
    'unplugged@120': 'write-failed',
    'unplugged@164': 'write-failed',
    'probe-gone@40': 'write-failed',
    'probe-gone@164': 'write-failed',
  },
);

faultsEndIn(
  'a board that stops answering before the magic word is void',
  { unit: 'void', next: theSameBoard },
  {
    'wait-forever@80': 'write-failed',
    'parity-once@40': 'write-failed',
    'parity@40': 'write-failed',
    'flash-busy': 'erase-failed',
    'flash-busy@40': 'flash-not-ready',
    'fault@0xFF0A4': 'write-failed',
  },
);

faultsEndIn(
  'a flash that does not hold what was written keeps nothing',
  { unit: 'void, page blank', next: anotherBoard },
  {
    'weak-bit@0xFF018': 'identity-differs', // id
    'weak-bit@0xFF024': 'identity-differs', // public key
    'weak-bit@0xFF070': 'identity-differs', // private key
    'weak-bit@0xFF0A0': 'identity-differs', // hash
    'weak-bit@0xFF000': 'identity-differs', // magic word
    'parity-once@168': 'write-failed',
  },
);

// The magic word is in the flash and nobody can be asked any more: no cable can take it back.
faultsEndIn(
  'a board that goes away in the magic word is void too',
  { unit: 'void, page whole', next: theSameBoard },
  {
    'unplugged@165': 'write-failed',
    'unplugged@168': 'write-failed',
    'wait-forever@168': 'write-failed',
    'parity@168': 'write-failed',
    'flash-busy@168': 'flash-not-ready',
    'probe-gone@168': 'write-failed',
  },
);

faultsEndIn(
  'a firmware that cannot be programmed never gets an identity',
  { unit: 'void', next: anotherBoard, options: ['--firmware', firmware] },
  {
    'unplugged@6000': 'program-failed',
    'wait-forever@6000': 'program-failed',
    'parity@6000': 'program-failed',
    'flash-busy@6000': 'program-failed',
    'probe-gone@6000': 'program-failed',
    'weak-bit@0x1000': 'program-differs',
  },
);

faultsEndIn(
  'a board that cannot be locked keeps no key',
  { unit: 'void, page blank', next: anotherBoard, options: ['--lock'] },
  {
    'stuck-lock': 'lock-failed',
  },
);

describe('a busy bus that OpenOCD waits out is no fault', () => {
  const faults = ['wait-once', 'wait-once@40', 'wait-once@164', 'wait-once@168', 'wait-once@6000'];
  for (const fault of faults) seen.add(fault);
  const run = ran(faults, anotherBoard, ['--firmware', firmware]);
  test.for(faults)('%s', (fault) => {
    const { record, unit } = run().boards.get(fault) ?? {};
    expect(record).toMatchObject({ result: 'pass' });
    expect(unit).toMatchObject({ state: 'verified' });
  });
});

test('every fault of the simulator is among these', () => {
  const names = (forms: Iterable<string>) => new Set([...forms].map((form) => form.replace(/@.*/, '')));
  expect(names(seen)).toEqual(names(faultForms()));
});

/** Runs the boards once and holds each of them against what must have become of it. */
function faultsEndIn(rule: string, end: End, faults: Readonly<Record<string, ErrorCode>>): void {
  describe(rule, () => {
    for (const fault of Object.keys(faults)) seen.add(fault);
    const run = ran(Object.keys(faults), end.next, end.options ?? []);

    test.for(Object.entries(faults))('%s: %s', ([fault, code], { skip }) => {
      const { record, unit, page } = run().boards.get(fault) ?? {};
      skip(record?.['result'] === 'pass' && keepsItsBits(fault, page), 'once in 256 keys: see keepsItsBits');

      expect(record).toMatchObject({ type: 'unit', result: 'fail', error: code });
      if (end.unit === 'none') expect(record).toMatchObject({ id: null, state: null });
      else expect(unit).toMatchObject({ state: 'void', reason: code, id: record?.['id'] });
      expect(looksWhole(page)).toBe(end.unit === 'void, page whole');
      if (end.unit === 'void, page blank') expect(page?.every((byte) => byte === 0xff)).toBe(true);
    });

    test('the exit code is that of the error', () => {
      const exits = Object.values(faults).map((code) => errorTable[code].exit);
      expect(new Set(exits)).toEqual(new Set([run().exit]));
    });

    const comes = end.next === theSameBoard ? 'the same board' : 'another board';
    test(`${comes} passes on that probe, with an id of its own`, () => {
      expect(run().nextExit).toBe(0);
      const spent = [...run().boards.values()].flatMap(({ record, next }) => [record?.['id'], next?.['id']]);
      const ids = spent.filter((id) => typeof id === 'string');
      expect(new Set(ids).size).toBe(ids.length);
      expect(run().ids).toEqual(ids.toSorted());
    });
  });
}
