import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyForms } from '../../support/key-forms.ts';
import { KeyScanner } from '../../support/key-scanner.ts';
import { boards, scratch, station } from '../../support/program.ts';
import {
  filesChanged,
  strace,
  type SystemCall,
  systemCalls,
  unseenChannels,
} from '../../support/system-calls.ts';
import { holders } from './traced-run.ts';

/* What disk.test.ts finds nothing with finds what is planted here. */

const key = randomBytes(32);

test('a trace shows a key planted in a file, in any form, at once or byte by byte', async () => {
  const forms = keyForms(key).flatMap(({ name, bytes }) => [
    { file: `${name}, at once`, bytes: bytes.toString('base64url'), step: bytes.length },
    { file: `${name}, byte by byte`, bytes: bytes.toString('base64url'), step: 1 },
  ]);
  const { calls, directory } = await tracedProgram(
    `for (const { file, bytes, step } of input) {
       const fd = fs.openSync(file, 'w');
       const all = Buffer.from(bytes, 'base64url');
       for (let at = 0; at < all.length; at += step) fs.writeSync(fd, all, at, step);
     }`,
    forms,
  );
  const planted = forms.map(({ file }) => join(directory, file)).sort();
  expect(holders(calls, key)).toEqual(planted);
  expect(filesChanged(calls).filter((path) => path.startsWith(directory))).toEqual(planted);
});

test('a trace shows a key in an argument and in an environment', async () => {
  const { calls } = await tracedProgram(
    `child.spawnSync('/bin/true', [input.argument]);
     child.spawnSync('/bin/true', [], { env: { KEY: input.variable } });`,
    { argument: key.toString('hex'), variable: key.toString('base64') },
  );
  const started = calls.filter(({ name }) => name === 'execve').map(({ strings }) => Buffer.concat(strings));
  expect(started.filter((bytes) => bytes.includes(key.toString('hex')))).toHaveLength(1);
  expect(started.filter((bytes) => bytes.includes(key.toString('base64')))).toHaveLength(1);
  expect(holders(calls, key)).toEqual(['execve']);
});

test('a search finds a key planted in a registry, in any form', async () => {
  const registry = await readFile(join(await station(await boards([])), 'registry.db'));
  const scanner = new KeyScanner().add('key', keyForms(key));
  for (const { name, bytes } of keyForms(key)) {
    const planted = Buffer.from(registry);
    bytes.copy(planted, registry.length >> 1);
    expect([...scanner.search(planted)], name).toContain(`key: ${name}`);
  }
  expect(registry.length).toBeGreaterThan(16 * 1024);
});

test('a trace shows that a file was made, renamed or copied unseen', async () => {
  const { calls, directory } = await tracedProgram(
    `fs.mkdirSync('made'); fs.writeFileSync('a', 'a'); fs.renameSync('a', 'b'); fs.linkSync('b', 'c');
     fs.copyFileSync('b', 'copied', fs.constants.COPYFILE_EXCL);`,
    null,
  );
  const changed = filesChanged(calls).map((path) => path.replace(`${directory}/`, ''));
  expect(changed).toEqual(expect.arrayContaining(['a', 'b', 'c', 'made', 'copied']));
  expect(unseenChannels(calls)).not.toEqual([]);
});

/** Traces a program that is told what to do through its standard input, which a trace does not show. */
async function tracedProgram(
  code: string,
  input: unknown,
): Promise<{ calls: SystemCall[]; directory: string }> {
  const directory = await scratch();
  const traces = join(directory, 'traces');
  await mkdir(traces);
  const head =
    "const fs = require('fs'), child = require('child_process'), input = JSON.parse(fs.readFileSync(0));";
  const [file, ...rest] = strace(traces);
  const command = [...rest, process.execPath, '-e', `${head}\n${code}`];
  const program = spawn(file, command, { cwd: directory, stdio: ['pipe', 'ignore', 'inherit'] });
  program.stdin.end(JSON.stringify(input));
  await once(program, 'close');
  return { calls: await systemCalls(traces), directory };
}
