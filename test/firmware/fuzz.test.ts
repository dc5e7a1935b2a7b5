import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinesideError } from '../../src/errors.ts';
import { parseFirmware } from '../../src/firmware/firmware.ts';
import { toIntelHex } from '../../src/firmware/intel-hex.ts';
import { contentOffset, elfFile, endRecord, flash, record, simpleElf } from './files.ts';

const image = new Uint8Array(600).map((_, index) => index);
const hex = Buffer.from(toIntelHex([{ address: 0xfff0, bytes: image }]));
const elf = simpleElf(0x1000, image);

/** A file with some bytes replaced, and perhaps cut. */
function mutated(file: Buffer): fc.Arbitrary<Buffer> {
  const changes = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 8 });
  return fc.tuple(changes, fc.integer({ min: 0, max: file.length })).map(([list, length]) => {
    const copy = Buffer.from(file);
    for (const [at, byte] of list) copy[at] = byte;
    return copy.subarray(0, length);
  });
}

const elfHeaderBytes = fc.array(fc.tuple(fc.nat(83), fc.nat(255)), { minLength: 1, maxLength: 4 });
const brokenHeaders = elfHeaderBytes.map((changes) => {
  const copy = Buffer.from(elf);
  for (const [at, byte] of changes) if (at > 3) copy[at] = byte;
  return copy;
});
const hexBytes = fc.tuple(fc.nat(6), fc.nat(0xffff), fc.array(fc.nat(255), { maxLength: 40 }));
const hexRecords = fc.array(hexBytes, { maxLength: 30 }).map((list) => {
  const lines = list.map(([type, offset, data]) => record(type, offset, ...data));
  return Buffer.from([...lines, endRecord].join('\n'));
});

describe('a firmware file is read or refused, within 100 ms', () => {
  test.each<[string, fc.Arbitrary<Buffer>]>([
    ['random bytes', fc.uint8Array({ maxLength: 4000 }).map((bytes) => Buffer.from(bytes))],
    [
      'random bytes after an ELF magic',
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.concat([elf.subarray(0, 24), bytes])),
    ],
    ['random text after a colon', fc.string({ maxLength: 400 }).map((text) => Buffer.from(`:${text}`))],
    ['well-formed HEX records in any order', hexRecords],
    ['HEX with changed bytes', mutated(hex)],
    ['ELF with changed bytes', mutated(elf)],
    ['ELF with changed headers', brokenHeaders],
  ])('%s', (_, files) => {
    fc.assert(
      fc.property(files, (file) => expectAnswer(file)),
      { numRuns: 500 },
    );
  });

  test('an ELF file whose thousand segments would fill the address space from the same bytes', () => {
    const offset = contentOffset(1000);
    const length = 2 ** 20;
    const headers = Array.from({ length: 1000 }, (_, index) => {
      return { type: 1, offset, address: index * length, fileSize: length, memorySize: length };
    });
    expectAnswer(elfFile(headers, new Uint8Array(length)));
  });

  test('a HEX file of one line of 1 MiB', () => {
    expectAnswer(Buffer.from(`:${'0'.repeat(2 ** 20)}`));
  });
});

// Processor time, not time on the clock: other tests run beside this one.
function expectAnswer(file: Buffer): void {
  const started = process.cpuUsage();
  try {
    parseFirmware('f', file, flash);
  } catch (error) {
    expect(error).toBeInstanceOf(LinesideError);
  }
  expect(process.cpuUsage(started).user).toBeLessThan(100_000);
}
