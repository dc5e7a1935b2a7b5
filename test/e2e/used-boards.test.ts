import { expect, test } from 'vitest';
import type { Board, ChipName } from '../../sim/board.ts';
import { boardsWith, factoryPages, identityOn, lineside, records, station } from '../support/program.ts';

const identityPage = factoryPages.nrf52840.identity;
const chips = ['nrf52840', 'stm32f405'] as const;

const line = (...faults: string[]) => lineWith('nrf52840', ...faults);

/** A station with one board, and the records of a command on it. */
async function lineWith(chip: ChipName, ...faults: string[]) {
  const [board] = await boardsWith(chip, faults);
  if (!board) throw new Error('no board');
  const directory = await station([board]);
  const run = async (...args: string[]) => {
    const { code, stdout } = await lineside(['--json', '--station', directory, ...args]);
    return { code, records: records(stdout) };
  };
  return {
    board,
    run,
    states: async () => (await run('registry', 'list')).records.map(({ state }) => state),
  };
}

/** A refusal spends no id and leaves every byte on the board as it is. */
async function refuses(code: string, board: Board, { run, states }: Awaited<ReturnType<typeof line>>) {
  const [flash, known] = [Buffer.from(board.flash), await states()];
  const refused = await run('provision');
  expect(refused).toMatchObject({ code: 8, records: [{ result: 'fail', id: null, error: code }] });
  expect(flash.equals(board.flash)).toBe(true);
  expect(await states()).toEqual(known);
}

test('a board that is a live device is refused', async () => {
  const there = await line();
  expect(await there.run('provision')).toMatchObject({ code: 0 });
  await refuses('board-has-identity', there.board, there);
});

test('a live device that was erased elsewhere is refused: its chip is known', async () => {
  const there = await line();
  await there.run('provision');
  there.board.flash.fill(0xff);
  await refuses('board-in-use', there.board, there);
});

test('a device that another station made is refused', async () => {
  const [there, elsewhere] = [await line(), await line()];
  await elsewhere.run('provision');
  there.board.flash.set(elsewhere.board.flash.subarray(identityPage), identityPage);
  await refuses('board-has-identity', there.board, there);
});

test.for([
  ['text', Buffer.from('serial 4711, calibration 0.98')],
  ['a magic word and nothing after it', Buffer.from('LSF1')],
  ['zeros', Buffer.alloc(4096)],
] as const)('foreign data in the identity page is refused: %s', async ([, data]) => {
  const there = await line();
  there.board.flash.set(data, identityPage);
  await refuses('board-has-data', there.board, there);
  expect(await there.run('inspect')).toMatchObject({ code: 8, records: [{ code: 'board-has-data' }] });
});

test('a board without an identity has none to show', async () => {
  const { run } = await line();
  expect(await run('inspect')).toMatchObject({ code: 4, records: [{ type: 'error', code: 'board-blank' }] });
});

test('the board of a void unit is made anew, with a new id and a new key', async () => {
  const { board, run, states } = await line();
  await run('provision');
  const before = identityOn(board);
  const key = Buffer.from(before.privateKey);
  expect(await run('void', before.id, '--reason', 'dropped')).toMatchObject({ code: 0 });
  expect(await run('provision')).toMatchObject({ code: 0, records: [{ id: '00000002', result: 'pass' }] });
  expect(identityOn(board).id).toBe('00000002');
  expect(key.equals(identityOn(board).privateKey)).toBe(false);
  expect(await states()).toEqual(['void', 'verified']);
});

test('what is void stays void', async () => {
  const { run } = await line();
  await run('provision');
  await run('void', '00000001', '--reason', 'dropped');
  const again = await run('void', '00000001', '--reason', 'dropped again');
  expect(again).toMatchObject({ code: 8, records: [{ code: 'illegal-transition' }] });
});

test.for(chips)('--lock closes the debug port, and the registry says so: %s', async (chip) => {
  const { board, run } = await lineWith(chip);
  expect(await run('provision', '--lock')).toMatchObject({ code: 0, records: [{ result: 'pass' }] });
  expect((await run('registry', 'list')).records).toMatchObject([{ state: 'verified', locked: true }]);
  expect(board.locked).toBe(true);
  expect(await run('inspect')).toMatchObject({ code: 4, records: [{ code: 'target-locked' }] });
  expect(await run('provision')).toMatchObject({ code: 4, records: [{ error: 'target-locked', id: null }] });
});

test.for(chips)(
  'recover erases a locked board and voids its unit; it then gets a new id: %s',
  async (chip) => {
    const { board, run, states } = await lineWith(chip);
    await run('provision', '--lock');
    expect(await run('recover', '--yes')).toMatchObject({
      code: 0,
      records: [{ type: 'recovered', voided: '00000001' }],
    });
    expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
    expect(await states()).toEqual(['void']);
    expect(await run('inspect')).toMatchObject({ code: 4, records: [{ code: 'board-blank' }] });
    expect(await run('provision')).toMatchObject({ code: 0, records: [{ id: '00000002', result: 'pass' }] });
  },
);

test('recover does nothing until --yes is said', async () => {
  const { board, run, states } = await line();
  await run('provision', '--lock');
  expect(await run('recover')).toMatchObject({ code: 2, records: [{ type: 'error', code: 'usage' }] });
  expect(identityOn(board).id).toBe('00000001');
  expect(await states()).toEqual(['verified']);
});

test('a board that stays locked is not recovered, and its unit lives on', async () => {
  const { board, run, states } = await line();
  await run('provision', '--lock');
  board.setFaults(['stuck-lock']);
  expect(await run('recover', '--yes')).toMatchObject({ code: 5, records: [{ code: 'recover-failed' }] });
  expect(await states()).toEqual(['verified']);
});

test.for([
  ['absent', 'target-absent'],
  ['wrong-dpidr', 'wrong-debug-port'],
  ['no-ctrl-ap', 'wrong-control-port'],
  ['wrong-chip', 'wrong-chip'],
] as const)('recover erases nothing on a board that is %s', async ([fault, code]) => {
  const { board, run } = await line(fault);
  board.flash.fill(0x5a);
  expect(await run('recover', '--yes')).toMatchObject({ code: 4, records: [{ code }] });
  expect(board.flash.every((byte) => byte === 0x5a)).toBe(true);
});
