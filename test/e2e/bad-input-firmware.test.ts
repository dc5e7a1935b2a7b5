import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../support/program.ts';
import { refusal } from './refusal.ts';
import { standingStation } from './standing-station.ts';

const standing = standingStation();
const hex = (...lines: string[]) => `${lines.join('\n')}\n:00000001FF\n`;
const upper = (address: number) => line([0, 0, 4, address >>> 8, address & 0xff]);

/** One line of Intel HEX with its checksum. */
function line([high = 0, low = 0, type = 0, ...data]: number[]): string {
  const bytes = Buffer.from([data.length, high, low, type, ...data]);
  const sum = -bytes.reduce((total, byte) => total + byte, 0) & 0xff;
  return `:${bytes.toString('hex')}${sum.toString(16).padStart(2, '0')}`.toUpperCase();
}

test.for([
  ['is not there', 'firmware-unreadable', undefined],
  ['is a directory', 'firmware-unreadable', 'directory'],
  ['is empty', 'firmware-invalid', ''],
  ['is text', 'firmware-invalid', 'release notes: it works now\n'],
  ['has a wrong checksum', 'firmware-invalid', ':0400000000000420D9\n:00000001FF\n'],
  ['has no end record', 'firmware-invalid', `${line([0, 0, 0, 1, 2, 3, 4])}\n`],
  ['lies in RAM', 'firmware-outside-flash', hex(upper(0x2000), line([0, 0, 0, 1, 2, 3, 4]))],
  ['begins right after the flash', 'firmware-outside-flash', hex(upper(0x0010), line([0, 0, 0, 1, 2, 3, 4]))],
  [
    'lies in the identity page',
    'firmware-overlaps-factory-data',
    hex(upper(0xf), line([0xf0, 0, 0, 1, 2, 3, 4])),
  ],
  [
    'runs into the credentials page',
    'firmware-overlaps-factory-data',
    hex(upper(0xf), line([0xdf, 0xfe, 0, 1, 2, 3, 4])),
  ],
] as const)('firmware that %s: no board is touched, no id is spent', async ([, code, content]) => {
  const path = join(await scratch(), 'firmware');
  if (content === 'directory') await mkdir(path);
  else if (content !== undefined) await writeFile(path, content);
  expect(await refusal(code, ['--station', standing(), 'provision', '--firmware', path])).toContain(path);
});
