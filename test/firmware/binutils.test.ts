import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parseFirmware, readFirmware } from '../../src/firmware/firmware.ts';
import { toIntelHex } from '../../src/firmware/intel-hex.ts';
import { endOf, type Segment } from '../../src/firmware/segments.ts';
import { flash } from './files.ts';
import { plain, segmentsFrom } from './segments.ts';

const folder = mkdtempSync(join(tmpdir(), 'lineside-binutils-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const run = (program: string, ...args: string[]) => execFileSync(program, args, { cwd: folder });

const hasObjcopy = spawnSync('objcopy', ['--version']).status === 0;
const hasLinker = spawnSync('ld', ['-V']).stdout?.includes('elf_i386') ?? false;

// Where the linker script puts initialised data, its place in memory is not its place in the file.
const assembly = `
  .section .vectors,"a"
  .long 0x20040000, 0x1001
  .text
  .fill 300,1,0x5a
  .data
  .ascii "initialised data"
  .bss
  .skip 64
`;
const linkerScript = `
  MEMORY { FLASH (rx): ORIGIN = 0x0, LENGTH = 1M
           RAM (rw): ORIGIN = 0x20000000, LENGTH = 256K }
  SECTIONS { .vectors : { KEEP(*(.vectors)) } > FLASH
             .text 0x1000 : { *(.text) } > FLASH
             .data : { *(.data) } > RAM AT> FLASH
             .bss : { *(.bss) } > RAM }
`;

describe.skipIf(!hasObjcopy)('objcopy agrees with lineside', () => {
  test('on the bytes of the HEX file that lineside writes', () => {
    fc.assert(
      fc.property(segmentsFrom(0x1000), (segments) => {
        writeFileSync(file('ours.hex'), toIntelHex(segments));
        run('objcopy', '-I', 'ihex', '-O', 'binary', 'ours.hex', 'theirs.bin');
        expect(readFileSync(file('theirs.bin')).equals(flat(segments))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('on the bytes of the HEX file that objcopy writes', () => {
    fc.assert(
      fc.property(segmentsFrom(0x1000), (segments) => {
        writeFileSync(file('ours.hex'), toIntelHex(segments));
        run('objcopy', '-I', 'ihex', '-O', 'ihex', 'ours.hex', 'theirs.hex');
        const theirs = parseFirmware('theirs.hex', readFileSync(file('theirs.hex')), flash);
        expect(plain(theirs.segments)).toEqual(plain(segments));
      }),
      { numRuns: 25 },
    );
  });
});

describe.skipIf(!hasObjcopy || !hasLinker)('ld and objcopy agree with lineside', () => {
  test('on what an ELF file puts into flash', async () => {
    writeFileSync(file('a.s'), assembly);
    writeFileSync(file('a.ld'), linkerScript);
    run('as', '--32', '-o', 'a.o', 'a.s');
    run('ld', '-m', 'elf_i386', '-n', '-T', 'a.ld', '-o', 'a.elf', 'a.o');
    // No Arm linker is needed to lay out data: only the machine's number is another.
    writeFileSync(file('a.elf'), readFileSync(file('a.elf')).fill(40, 18, 19));
    run('objcopy', '-I', 'elf32-little', '-O', 'binary', 'a.elf', 'a.bin');
    const { format, segments } = await readFirmware(file('a.elf'), flash);
    expect(format).toBe('elf');
    expect(flat(segments).equals(readFileSync(file('a.bin')))).toBe(true);
    expect(flat(segments).toString('latin1')).toContain('initialised data');
  });
});

/** All bytes from the first address to the last, gaps filled with zero as objcopy does. */
function flat(segments: readonly Segment[]): Buffer {
  const start = segments[0]?.address ?? 0;
  const end = Math.max(...segments.map(endOf));
  const bytes = Buffer.alloc(end - start);
  for (const segment of segments) bytes.set(segment.bytes, segment.address - start);
  return bytes;
}
