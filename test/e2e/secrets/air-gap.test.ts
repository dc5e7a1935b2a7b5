import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineside, records, scratch } from '../../support/program.ts';
import { start } from '../../support/running.ts';

/** Puts a program into a network namespace of its own, in which nothing but the loopback is up. */
const isolated = ['unshare', '-rn', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

/** Puts a program into the network namespace of a process. */
const beside = (pid: number) => ['nsenter', '-t', String(pid), '-U', '-n', '--preserve-credentials'];

async function output(file: string, args: readonly string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text;
}

test('the whole job is done on a PC without any network', async () => {
  const simulator = start(['--json', 'sim', '--boards', '2'], { under: isolated });
  const ports: number[] = [];
  simulator.onLine((line) => {
    const port = /"port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) ports.push(Number(port));
  });
  await simulator.line('Ctrl-C');
  const inside = beside(simulator.pid);
  const directory = join(await scratch(), 'st07');
  const station = ['--name', 'st07', '--chip', 'nrf52840', '--lease', '00000001-000000FF'];
  const probes = ['--probe', ...ports.map((port, index) => `${'ab'[index]}=sim:${port}`)];
  expect(await lineside(['init', directory, ...station, ...probes], inside)).toMatchObject({ code: 0 });

  const run = await lineside(['--json', '--station', directory, 'provision', '--lock'], inside);
  expect(run).toMatchObject({ code: 0 });
  expect(records(run.stdout).map(({ result }) => result)).toEqual(['pass', 'pass']);

  const [command = '', ...enter] = inside;
  const interfaces: { ifname: string }[] = JSON.parse(await output(command, [...enter, 'ip', '-j', 'link']));
  expect(interfaces.map(({ ifname }) => ifname)).toEqual(['lo']);
  const connect =
    "require('net').connect(443, '192.0.2.1').on('error', ({ code }) => console.log(code)).unref()";
  expect(await output(command, [...enter, process.execPath, '-e', connect])).toBe('ENETUNREACH\n');
});
