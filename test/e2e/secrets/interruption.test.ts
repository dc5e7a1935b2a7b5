import { expect, onTestFinished, test } from 'vitest';
import { descendants, ended, isAlive } from '../../support/processes.ts';
import { boards, lineside, records, station } from '../../support/program.ts';
import { start } from '../../support/running.ts';

/** Longer than the unit process gives OpenOCD to end by itself. */
const patienceMs = 10_000;

async function states(directory: string): Promise<unknown[]> {
  const { stdout } = await lineside(['--json', '--station', directory, 'registry', 'list']);
  return records(stdout).map(({ state }) => state);
}

test.each(['making the key', 'programming', 'writing the identity'])(
  'Ctrl-C while %s finishes the board in work and begins no other',
  async (stage) => {
    const [board] = await boards([]);
    if (!board) throw new Error('a board was asked for');
    const directory = await station([board]);
    const run = start(['--json', '--station', directory, 'provision', '--count', '3']);
    await run.line(stage);
    process.kill(-run.pid, 'SIGINT'); // the whole foreground group, as a terminal does
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(records(stdout)).toMatchObject([{ result: 'pass', state: 'verified' }]);
    expect(await states(directory)).toEqual(['verified']);
  },
);

test.each(['connecting', 'making the key', 'programming', 'writing the identity', 'locking'])(
  'when the station process is killed while %s, unit process and OpenOCD end by themselves',
  async (stage) => {
    const [board] = await boards([]);
    if (!board) throw new Error('a board was asked for');
    const directory = await station([board]);
    const run = start(['--station', directory, 'provision', '--lock']);
    await run.line(stage);
    const left = descendants(run.pid);
    onTestFinished(() => {
      for (const { pid } of left.filter((each) => isAlive(each.pid))) process.kill(pid, 'SIGKILL');
    });
    expect(left.map(({ argv }) => argv.join(' '))).toContainEqual(expect.stringMatching(/unit\.js$/));
    process.kill(run.pid, 'SIGKILL');
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL' });
    const gone = await Promise.all(left.map(({ pid }) => ended(pid, patienceMs)));
    expect(gone).toEqual(left.map(() => true));
  },
);
