import { expect, test } from 'vitest';
import { boards, identityOn, lineside, records, station } from '../support/program.ts';
import { start } from '../support/running.ts';
import { watched } from './watched-probe.ts';

const waiting = 'waiting for the next board';

test('a lane makes one board after the other, each when the one before it is taken out', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const directory = await station([board]);
  const run = start(['--json', '--station', directory, 'provision', '--count', '3']);
  const made: string[] = [];
  run.onLine((said) => {
    if (!said.includes(waiting)) return;
    made.push(identityOn(board).id);
    board.swap();
  });
  const { code, stdout } = await run.ended;
  made.push(identityOn(board).id);
  expect(code).toBe(0);
  expect(made).toEqual(['00000001', '00000002', '00000003']);
  const results = records(stdout);
  expect(results.map(({ id, result }) => [id, result])).toEqual(made.map((id) => [id, 'pass']));
  expect(new Set(results.map(({ uid }) => uid)).size).toBe(3);
});

test('a board that stays where it is is not made twice, and Ctrl-C ends the wait', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const probe = await watched(board);
  const directory = await station([{ ...board, port: probe.port }]);
  const run = start(['--json', '--station', directory, 'provision', '--count', '2']);
  await run.line(waiting);
  await probe.looks(3);
  process.kill(run.pid, 'SIGINT');
  const { code, stdout } = await run.ended;
  expect(code).toBe(130);
  expect(records(stdout).map(({ id, result }) => [id, result])).toEqual([['00000001', 'pass']]);
});

test('a passed board whose contacts bounce, or that is put back, is not taken for the next one', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const probe = await watched(board);
  const directory = await station([{ ...board, port: probe.port }]);
  const run = start(['--json', '--station', directory, 'provision', '--count', '2']);
  await run.line(waiting);
  board.setFaults(['absent']);
  await probe.looks(2);
  board.setFaults([]);
  await probe.looks(2);
  board.swap();
  const { code, stdout } = await run.ended;
  expect(code).toBe(0);
  expect(records(stdout)).toMatchObject([{ result: 'pass' }, { result: 'pass' }]);
  expect(identityOn(board).id).toBe('00000002');
});

test('an empty fixture fails once, then the lane waits for its board', async () => {
  const [board] = await boards(['absent']);
  if (!board) throw new Error('no board');
  const directory = await station([board]);
  const run = start(['--json', '--station', directory, 'provision', '--count', '2']);
  await run.line(waiting);
  board.setFaults([]);
  const { code, stdout } = await run.ended;
  expect(code).toBe(4);
  expect(records(stdout)).toMatchObject([
    { error: 'target-absent', id: null },
    { id: '00000001', result: 'pass' },
  ]);
});

test('a faulty board does not hold up the next one of its lane', async () => {
  const [board] = await boards(['unplugged@64']);
  if (!board) throw new Error('no board');
  const directory = await station([board]);
  const run = start(['--json', '--station', directory, 'provision', '--count', '2']);
  await run.line(waiting);
  board.setFaults([]);
  board.swap();
  const { code, stdout } = await run.ended;
  expect(code).toBe(5);
  expect(records(stdout)).toMatchObject([
    { id: '00000001', state: 'void', error: 'write-failed' },
    { id: '00000002', result: 'pass' },
  ]);
});

test('a station in use is busy for everybody else, until it is done', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const directory = await station([board]);
  const run = start(['--station', directory, 'provision', '--count', '2']);
  await run.line(waiting);
  const other = await lineside(['--json', '--station', directory, 'registry', 'list']);
  expect(other.code).toBe(6);
  expect(records(other.stdout)).toMatchObject([{ type: 'error', code: 'registry-busy', exit: 6 }]);
  process.kill(run.pid, 'SIGTERM');
  expect(await run.ended).toMatchObject({ code: 130 });
  expect(await lineside(['--station', directory, 'registry', 'list'])).toMatchObject({ code: 0 });
});
