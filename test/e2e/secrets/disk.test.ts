import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyForms, scatteredWords, wordsOf } from '../../support/key-forms.ts';
import { KeyScanner } from '../../support/key-scanner.ts';
import { bytesByTarget, filesChanged, unseenChannels } from '../../support/system-calls.ts';
import { holders, openOcdStdin, type Scenario, traced } from './traced-run.ts';

const passing = {
  title: 'a run that passes',
  chip: 'nrf52840',
  faults: [],
  options: ['provision'],
  exit: 0,
  wordsSent: 8,
} satisfies Scenario;
const scenarios: readonly Scenario[] = [
  passing,
  {
    ...passing,
    title: 'a run with firmware, lock and --json',
    options: ['--json', 'provision', '--firmware', 'FIRMWARE', '--lock'],
  },
  {
    ...passing,
    title: 'a run with firmware and lock on an STM32F405',
    chip: 'stm32f405',
    options: ['provision', '--firmware', 'FIRMWARE', '--lock'],
  },
  { ...passing, title: 'a run that meets a weak bit', faults: ['weak-bit@0xFF048'], exit: 5 },
  { ...passing, title: 'a run that loses its board', faults: ['unplugged@40'], exit: 5, wordsSent: 0 },
];

describe.each(scenarios)('$title', (scenario) => {
  test('gives the key to the kernel only for OpenOCD, and OpenOCD only for the probe', async () => {
    const { calls, key, ended, port } = await traced(scenario);
    expect(ended).toMatchObject({ code: scenario.exit });
    const pipe = openOcdStdin(calls);
    expect(holders(calls, key)).toEqual([pipe]);
    // What OpenOCD and lineside say: not one word of the key. One of its eight may be in a file by chance; two are not.
    const said = calls.filter(({ line }) => /^writev?\([12]</.test(line)).flatMap(({ strings }) => strings);
    expect(scatteredWords(Buffer.concat(said), key)).toBe(0);
    const exempt = (target: string) => target === pipe || target.endsWith(`->127.0.0.1:${port}]`);
    for (const [target, bytes] of bytesByTarget(calls)) {
      if (!exempt(target)) expect(scatteredWords(bytes, key), target).toBeLessThan(2);
    }
  });

  test('changes no file but the registry', async () => {
    const { calls, directory } = await traced(scenario);
    const firmware = scenario.options.includes('FIRMWARE') ? ['/dev/shm/#n'] : [];
    const changed = filesChanged(calls).map((path) =>
      path.replace(directory, 'STATION').replace(/#\d+/, '#n'),
    );
    expect(changed).toEqual([
      '/dev/null<char 1:3>',
      ...firmware,
      'STATION/registry.db',
      'STATION/registry.db-wal',
    ]);
    const inShm = calls.filter(({ name, target }) => name === 'openat' && target.startsWith('/dev/shm/#'));
    expect(inShm.filter(({ line }) => /O_RDWR\|.*O_TMPFILE/.test(line))).toHaveLength(firmware.length); // nameless
  });

  test('moves no bytes by ways that a trace cannot see', async () => {
    const { calls } = await traced(scenario);
    expect(unseenChannels(calls)).toEqual([]);
  });

  test('has no key in its output, its registry or any other file of the station', async () => {
    const { ended, files, key } = await traced(scenario);
    expect(scatteredWords(Buffer.from(ended.stdout + ended.stderr), key)).toBe(0);
    const scanner = new KeyScanner().add('key', keyForms(key));
    for (const bytes of [Buffer.from(ended.stdout + ended.stderr), ...files.values()]) {
      expect([...scanner.search(bytes)]).toEqual([]);
    }
    expect([...files.keys()].sort()).toEqual([
      'log.head',
      'registry.db',
      'station.json',
      'station.key',
      'station.vkey',
    ]);
  });

  test('starts its processes with no key in their arguments or environment', async () => {
    const { calls, key } = await traced(scenario);
    const started = calls.filter(({ name, line }) => name === 'execve' && line.endsWith(' = 0'));
    const programs = started.map(({ strings }) => basename(String(strings[0])));
    expect(programs.sort()).toEqual(['node', 'node', 'openocd', 'sh']);
    for (const { strings } of started) expect(scatteredWords(Buffer.concat(strings), key)).toBe(0);
  });

  test('leaves the key on the board only if it passed', async () => {
    const { calls, key, page, port } = await traced(scenario);
    const toProbe = [...bytesByTarget(calls)].filter(([target]) => target.endsWith(`->127.0.0.1:${port}]`));
    const sent = Buffer.concat(toProbe.map(([, bytes]) => bytes));
    expect(wordsOf(key).filter((word) => sent.includes(word))).toHaveLength(scenario.wordsSent);
    if (scenario.exit === 0) expect(page.subarray(104, 136)).toEqual(key);
    else expect(scatteredWords(page, key)).toBe(0);
  });
});
