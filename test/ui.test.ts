import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boards, lineside, program, records, scratch, station } from './support/program.ts';

/** What a terminal of its own is sent by lineside, as script(1) of util-linux makes one. */
function onTerminal(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const command = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const env = { PATH: String(process.env['PATH']), TERM: 'xterm-256color', ...environment };
  return new Promise((resolve) => {
    const child = execFile('script', ['-qec', command, '/dev/null'], { env }, (_, stdout) => resolve(stdout));
    child.stdin?.end();
  });
}

const escape = '\x1b';
const newLine = `\r${escape}[K`;
const styled = (code: number, text: string) => `${escape}[${code}m${text}${escape}[${code === 1 ? 22 : 39}m`;
const [bold, red, green] = [1, 31, 32];

/** What is left to read when all is printed: the last state of each line. */
function screen(sent: string): (string | undefined)[] {
  return sent.split('\r\n').map((line) => line.split(newLine).at(-1));
}

describe('on a terminal', () => {
  test('PASS is green, and the steps are one line that moves and goes', async () => {
    const directory = await station(await boards([]));
    const sent = await onTerminal(['--station', directory, 'provision']);
    for (const stage of ['connecting', 'making the key', 'programming', 'writing the identity', 'starting'])
      expect(sent).toMatch(new RegExp(`\r${escape}\\[Ka  [0-9-]{8}  ${stage}`));
    const [result = '', ...rest] = screen(sent);
    expect(result.replace(/[0-9a-f]{64}$/, '<sha256>')).toBe(
      `${styled(green, 'PASS    ')}  00000001  a  <sha256>`,
    );
    expect(rest).toEqual(['']);
  });

  test('FAIL is red, and so is the name of who says why', async () => {
    const directory = await station(await boards(['absent']));
    const [result, message, hint] = screen(await onTerminal(['--station', directory, 'provision']));
    expect(result).toBe(`${styled(red, 'FAIL    ')}  --------  a  target-absent`);
    expect(message).toBe(`${styled(red, 'lineside:')} no chip answers on probe a`);
    expect(hint?.startsWith(`${styled(bold, 'hint:')} seat the board`)).toBe(true);
  });

  test.for([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('%o: no colour', async (environment) => {
    const directory = await station(await boards(['absent']));
    const sent = await onTerminal(['--station', directory, 'provision'], environment);
    expect(screen(sent)[0]).toBe('FAIL      --------  a  target-absent');
    expect(sent).not.toMatch(new RegExp(`${escape}\\[[0-9;]*m`));
  });
});

test.for([[], ['FORCE_COLOR=1'], ['TERM=xterm-256color', 'COLORTERM=truecolor']])(
  'in a pipe there is no colour and no moving line, also with %o',
  async (environment) => {
    const directory = await station(await boards(['absent']));
    const { stdout, stderr } = await lineside(['--station', directory, 'provision'], ['env', ...environment]);
    expect(stdout).toBe('FAIL      --------  a  target-absent\n');
    expect(stderr).toMatch(/^a {2}-{8} {2}connecting\nlineside: .+\nhint: .+\n$/);
    expect(stdout + stderr).not.toContain('\x1b');
  },
);

/** Clears the screen, forges a line, returns to the begin of the line, turns the writing round; CSI as one character. */
const hostile = '\x1b[2J\nPASS\r\x07\u202e\u009b2J\x7f';
const harmless = /^[^\p{C}]*$/u;

describe('what comes from outside never reaches the terminal raw', () => {
  test.for([
    ['a station', ['--station', hostile, 'registry', 'list']],
    ['a command', [`provision${hostile}`]],
    ['an option', ['provision', `--${hostile}`]],
    ['an argument', ['provision', hostile]],
    ['an id', ['void', hostile, '--reason', 'x']],
    ['a name', ['init', 'st07', '--name', hostile, '--chip', 'nrf52840']],
    ['a chip', ['init', 'st07', '--name', 'st07', '--chip', hostile]],
    ['a lease', ['init', 'st07', '--name', 'st07', '--chip', 'nrf52840', '--lease', hostile]],
    ['a probe', ['init', 'st07', '--name', 'st07', '--chip', 'nrf52840', '--probe', hostile]],
    ['a fault', ['sim', '--fault', `0:${hostile}`]],
  ] as const)('%s', async ([, args]) => {
    const { stdout, stderr } = await lineside(args);
    expect(stdout).toBe('');
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(harmless),
      expect.stringMatching(/^hint: [^\p{C}]+$/u),
      '',
    ]);
    const script = await lineside([...args, '--json']);
    expect(script.stdout.split('\n')).toEqual([expect.stringMatching(harmless), '']);
    expect(records(script.stdout)).toMatchObject([{ type: 'error' }]);
  });

  test('the directory of a new station, the path of a firmware, the reason of a void unit, a station file', async () => {
    const directory = join(await scratch(), hostile);
    const [board] = await boards([]);
    const named = ['--name', 'st07', '--chip', 'nrf52840', '--probe', `a=sim:${board?.port}`];
    const at = ['--station', directory];
    const said = [
      await lineside(['init', directory, ...named]),
      await lineside([...at, 'provision', '--firmware', `/tmp/${hostile}.hex`]),
      await lineside([...at, 'provision']),
      await lineside([...at, 'void', '00000001', '--reason', hostile]),
      await lineside([...at, 'registry', 'list']),
      await lineside([...at, 'registry', 'show', '00000001']),
    ];
    await writeFile(join(directory, 'station.json'), hostile);
    said.push(await lineside([...at, 'registry', 'list']));
    for (const { stdout, stderr } of said)
      for (const line of `${stdout}${stderr}`.split('\n')) expect(line).toMatch(harmless);
    const lines = said.map(({ stdout }) => stdout.split('\n').length - 1);
    expect(lines).toEqual([1, 0, 1, 0, 1, 16, 0]); // such a reason is refused
  });
});
