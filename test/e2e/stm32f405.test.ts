import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toIntelHex } from '../../src/firmware/intel-hex.ts';
import { simpleElf } from '../firmware/files.ts';
import { boardsWith, identityOn, lineside, records, scratch, station } from '../support/program.ts';
import { start } from '../support/running.ts';
import { someFirmware } from './faulty-boards.ts';

// What the contract of chips (test/contract/chip.ts) cannot say: the whole program on the second chip.

const flashStart = 0x08000000;
const image = someFirmware(1024);

test('firmware goes to the addresses it names, and the identity shown is that on the board', async () => {
  const line = await boardsWith('stm32f405', [], []);
  const directory = await station(line);
  const files = {
    hex: toIntelHex([{ address: flashStart, bytes: image }]),
    elf: simpleElf(flashStart, image),
  };
  const shelf = await scratch();
  for (const [index, [format, content]] of Object.entries(files).entries()) {
    const [board, probe] = [line[index], 'ab'.charAt(index)];
    if (!board) throw new Error('a board for each format');
    const path = join(shelf, `firmware.${format}`);
    await writeFile(path, content);
    const options = ['--probe', probe, '--firmware', path];
    const run = await lineside(['--json', '--station', directory, 'provision', ...options]);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(image.equals(board.flash.subarray(0, image.length))).toBe(true);
    const shown = await lineside(['--json', '--station', directory, 'inspect', '--probe', probe]);
    const { id, publicKey } = identityOn(board);
    expect(records(shown.stdout)).toMatchObject([
      { id, publicKey: Buffer.from(publicKey).toString('hex'), uid: expect.stringMatching(/^[0-9A-F]{24}$/) },
    ]);
  }
});

test('firmware that runs into sector 10 is refused, and told where it must end', async () => {
  const line = await boardsWith('stm32f405', []);
  const path = join(await scratch(), 'firmware.hex');
  await writeFile(path, toIntelHex([{ address: 0x080bfffc, bytes: image }]));
  const refused = await lineside(['--station', await station(line), 'provision', '--firmware', path]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('0x080C0000, where the factory pages of stm32f405 lie');
  expect(refused.stderr).toContain('below 0x080C0000');
  expect(line[0]?.flash.every((byte) => byte === 0xff)).toBe(true);
});

test('sim --chip offers boards of that chip', async () => {
  const sim = start(['--json', 'sim', '--chip', 'stm32f405']);
  const { port } = JSON.parse(await sim.line('"port"')) as { port: number };
  const directory = join(await scratch(), 'st07');
  const options = ['--name', 'st07', '--chip', 'stm32f405', '--probe', `a=sim:${port}`];
  await lineside(['init', directory, ...options]);
  expect(await lineside(['--station', directory, 'provision'])).toMatchObject({ code: 0 });
  process.kill(sim.pid, 'SIGTERM');
  await sim.ended;
});
