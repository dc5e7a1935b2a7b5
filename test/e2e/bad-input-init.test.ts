import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineside, scratch } from '../support/program.ts';
import { contents, refusal } from './refusal.ts';

const chip = ['--chip', 'nrf52840'];
const named = ['--name', 'st07', ...chip];

test.for([
  ['a command line without --name', 'usage', chip],
  ['a name with blanks', 'usage', ['--name', 'line 7', ...chip]],
  ['a name in capitals', 'usage', ['--name', 'ST07', ...chip]],
  ['a name of 33 characters', 'usage', ['--name', 's'.repeat(33), ...chip]],
  ['an unknown chip', 'unknown-chip', ['--name', 'st07', '--chip', 'nrf52']],
  ['a lease of one number', 'bad-lease', [...named, '--lease', '00000001']],
  ['a lease that ends before it begins', 'bad-lease', [...named, '--lease', '00000002-00000001']],
  ['a lease with the reserved id 00000000', 'bad-lease', [...named, '--lease', '00000000-000000FF']],
  ['a lease with the reserved id FFFFFFFF', 'bad-lease', [...named, '--lease', '00000001-FFFFFFFF']],
  ['a lease in small letters', 'bad-lease', [...named, '--lease', '0000000a-0000000f']],
  ['a probe without a serial', 'bad-probe', [...named, '--probe', 'a=cmsis-dap']],
  ['a probe of an unknown interface', 'bad-probe', [...named, '--probe', 'a=usb:1']],
  ['a probe whose serial is Tcl', 'bad-probe', [...named, '--probe', 'a=cmsis-dap:[exec id]']],
  ['a simulated probe on port 65536', 'bad-probe', [...named, '--probe', 'a=sim:65536']],
  ['two probes of one name', 'usage', [...named, '--probe', 'a=sim:4444', 'a=sim:4445']],
  ['one probe under two names', 'usage', [...named, '--probe', 'a=sim:4444', 'b=sim:4444']],
] as const)('init refuses %s and makes nothing', async ([, code, options]) => {
  const workshop = await scratch();
  await refusal(code, ['init', join(workshop, 'st07'), ...options]);
  expect(contents(workshop)).toEqual([]);
});

test.for([
  ['a station', 'station-exists', (path: string) => lineside(['init', path, ...named])],
  [
    'a directory with something in it',
    'station-exists',
    async (path: string) => {
      await mkdir(path);
      await writeFile(join(path, 'notes.txt'), 'mine');
    },
  ],
  ['a file', 'station-exists', (path: string) => writeFile(path, 'mine')],
] as const)('init puts no station over %s', async ([, code, make]) => {
  const workshop = await scratch();
  await make(join(workshop, 'st07'));
  const before = contents(workshop);
  await refusal(code, ['init', join(workshop, 'st07'), ...named]);
  expect(contents(workshop)).toEqual(before);
});

test('init makes no station below a file', async () => {
  const workshop = await scratch();
  await writeFile(join(workshop, 'file'), 'mine');
  const message = await refusal('directory-unwritable', ['init', join(workshop, 'file', 'st07'), ...named]);
  expect(message).toContain('a file is in its way');
});

test('init takes an empty directory', async () => {
  const workshop = await scratch();
  await mkdir(join(workshop, 'st07'));
  expect(await lineside(['init', join(workshop, 'st07'), ...named])).toMatchObject({ code: 0 });
});

test('init where this user may not write says so and makes nothing', async () => {
  const workshop = await scratch();
  await chmod(workshop, 0o555);
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const under = process.getuid?.() === 0 ? asNobody : [];
  const message = await refusal('directory-unwritable', ['init', join(workshop, 'st07'), ...named], under);
  expect(message).toContain('permission denied');
  expect(contents(workshop)).toEqual([]);
});
