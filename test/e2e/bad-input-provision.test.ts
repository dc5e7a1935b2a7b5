import { describe, expect, test } from 'vitest';
import { boards, lineside, records, station } from '../support/program.ts';
import { refusal } from './refusal.ts';
import { standingStation } from './standing-station.ts';

describe('a command that cannot be meant changes nothing', () => {
  const standing = standingStation();
  test.for([
    ['an unknown probe', 'unknown-probe', ['provision', '--probe', 'z']],
    ['no boards', 'usage', ['provision', '--count', '0']],
    ['half a board', 'usage', ['provision', '--count', '1.5']],
    ['one id for two boards', 'usage', ['provision', '--count', '2', '--id', '00000001']],
    ['an id of 7 digits', 'bad-id', ['provision', '--id', '0000001']],
    ['an id that is reserved', 'bad-id', ['provision', '--id', 'FFFFFFFF']],
    ['an argument too many', 'usage', ['provision', 'now']],
    ['showing a unit that is not there', 'unit-not-found', ['registry', 'show', '00000001']],
    ['voiding a unit that is not there', 'unit-not-found', ['void', '00000001', '--reason', 'dropped']],
    ['voiding without a reason', 'usage', ['void', '00000001']],
  ] as const)('%s', async ([, code, command]) => {
    await refusal(code, ['--station', standing(), ...command]);
  });
});

test('a station without a probe says how to get one', async () => {
  const directory = await station([]);
  await refusal('no-probes', ['--station', directory, 'provision']);
  await refusal('no-probes', ['--station', directory, 'inspect', '--probe', 'a']);
});

test('of several probes, one must be named', async () => {
  const directory = await station(await boards([], []));
  expect(await refusal('usage', ['--station', directory, 'inspect'])).toContain('name one with --probe');
});

test('ids come from the lease, once each, until it is used up', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const directory = await station([board], '00000010-00000011');
  const provision = async (...options: string[]) => {
    const { code, stdout } = await lineside(['--json', '--station', directory, 'provision', ...options]);
    return { code, ...records(stdout)[0] };
  };
  const untouched = () => board.flash.every((byte) => byte === 0xff);

  expect(await provision('--id', '00000012')).toMatchObject({ code: 8, error: 'id-outside-lease', id: null });
  expect(untouched()).toBe(true);
  expect(await provision('--id', '00000011')).toMatchObject({ code: 0, id: '00000011' });
  board.swap();
  expect(await provision('--id', '00000011')).toMatchObject({ code: 8, error: 'id-in-use', id: null });
  expect(untouched()).toBe(true);
  expect(await provision()).toMatchObject({ code: 0, id: '00000010' });
  board.swap();
  expect(await provision()).toMatchObject({ code: 9, error: 'lease-exhausted', id: null });
  expect(untouched()).toBe(true);
});
