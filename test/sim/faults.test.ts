import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { faultForms, Faults, parseFault } from '../../sim/faults.ts';

test.each([
  ['absent', { name: 'absent', at: 0 }],
  ['unplugged@16', { name: 'unplugged', at: 16 }],
  ['wait-forever', { name: 'wait-forever', at: 0 }],
  ['wait-forever@128', { name: 'wait-forever', at: 128 }],
  ['fault@0xff010', { name: 'fault', at: 0xff010 }],
])('%s is a fault', (spec, fault) => {
  expect(parseFault(spec)).toEqual(fault);
});

test.each([
  '',
  'unplug',
  'Absent',
  'absent@1',
  'unplugged',
  'unplugged@',
  'unplugged@0x10',
  'unplugged@-1',
  'fault',
  'fault@16',
  'fault@0x',
  'wait-once@0x10',
  'constructor',
  'absent ',
])('%j is refused, naming the allowed ones', (spec) => {
  expect(() => parseFault(spec)).toThrow(
    `unknown fault "${spec}", allowed are absent, unplugged@N, wait-once, wait-once@N,`,
  );
});

test('a refused list changes nothing', () => {
  const faults = new Faults();
  faults.replace(['absent']);
  expect(() => faults.replace(['no-ctrl-ap', 'nonsense'])).toThrow();
  expect([faults.has('absent'), faults.has('no-ctrl-ap')]).toEqual([true, false]);
});

test('a fault at N comes into force with the N-th flash byte, counted from when it was set', () => {
  const faults = new Faults();
  faults.flashAccepted(64);
  faults.replace(['unplugged@8']);
  faults.flashAccepted(4);
  expect(faults.connected).toBe(true);
  faults.flashAccepted(4);
  expect(faults.connected).toBe(false);
  faults.rearm();
  expect(faults.connected).toBe(true);
});

test('the README lists every fault, and no other', () => {
  const readme = readFileSync(new URL('../../sim/README.md', import.meta.url), 'utf8');
  const listed = [...readme.matchAll(/^\| (`.*?`) *\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, form]) => form),
  );
  expect(listed).toEqual(faultForms());
});
