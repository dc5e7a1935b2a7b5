import { describe, expect, test } from 'vitest';
import { parseElf } from '../../src/firmware/elf.ts';
import { FirmwareRefused } from '../../src/firmware/segments.ts';
import { contentOffset, elfFile, type LoadHeader, simpleElf } from './files.ts';
import { plain } from './segments.ts';

const content = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const good = simpleElf(0x1000, content);
const at = { offset: 56, address: 64, fileSize: 68, memorySize: 72 };

describe('parseElf', () => {
  test('reads loadable segments at their physical addresses, without what is only in memory', () => {
    const from = contentOffset(4);
    const headers: LoadHeader[] = [
      { type: 1, offset: from, address: 0x1000, fileSize: 4, memorySize: 4 },
      { type: 1, offset: from + 4, address: 0x2000, fileSize: 4, memorySize: 64 },
      { type: 1, offset: 0, address: 0x20000000, fileSize: 0, memorySize: 512 },
      { type: 0x70000001, offset: from, address: 0, fileSize: 8, memorySize: 8 },
    ];
    expect(plain(parseElf(elfFile(headers, content)))).toEqual([
      { address: 0x1000, bytes: [1, 2, 3, 4] },
      { address: 0x2000, bytes: [5, 6, 7, 8] },
    ]);
  });

  test('reads a segment that ends with the address space', () => {
    expect(parseElf(simpleElf(0xffff_fff8, content))).toHaveLength(1);
  });

  test.each<[string, number, number, string]>([
    ['a 64-bit file', 4, 2, 'it is not a 32-bit ELF file'],
    ['a big-endian file', 5, 2, 'it is not little-endian'],
    ['another identification version', 6, 2, 'its ELF version is unknown'],
    ['another file version', 20, 2, 'its ELF version is unknown'],
    ['a relocatable object', 16, 1, 'it is not an executable: link it first'],
    ['a shared object', 16, 3, 'it is not an executable: link it first'],
    ['an x86 executable', 18, 3, 'it is not for Arm'],
    ['program headers of another size', 42, 33, 'its program headers are not 32 bytes long'],
    ['program headers past the end of the file', 28, good.length - 31, 'its program headers are cut short'],
    ['one program header too many for the file', 44, 2, 'its program headers are cut short'],
    ['a segment past the end of the file', at.offset, good.length - 7, 'a segment is cut short'],
    [
      'more bytes in the file than in memory',
      at.memorySize,
      7,
      'a segment is larger in the file than in memory',
    ],
  ])('refuses %s', (_, offset, value, reason) => {
    const file = Buffer.from(good);
    file.writeUInt8(value, offset);
    expect(() => parseElf(file)).toThrow(new FirmwareRefused(reason));
  });

  test.each<[string, number, number, string]>([
    ['program headers at an offset beyond 2^31', 28, 0xffff_fff0, 'its program headers are cut short'],
    ['a segment at an offset beyond 2^31', at.offset, 0xffff_fffc, 'a segment is cut short'],
    ['a segment above the address space', at.address, 0xffff_fff9, 'a segment ends above 0xFFFFFFFF'],
  ])('refuses %s', (_, offset, value, reason) => {
    const file = Buffer.from(good);
    file.writeUInt32LE(value, offset);
    expect(() => parseElf(file)).toThrow(new FirmwareRefused(reason));
  });

  test('refuses a file cut anywhere', () => {
    for (let length = 4; length < good.length; length++)
      expect(() => parseElf(good.subarray(0, length)), `${length}`).toThrow(FirmwareRefused);
  });
});
