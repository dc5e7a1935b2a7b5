import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIntelHex, toIntelHex } from '../../src/firmware/intel-hex.ts';
import { FirmwareRefused, joinSegments, type Segment, sortSegments } from '../../src/firmware/segments.ts';
import { endRecord, record } from './files.ts';
import { plain, segmentsFrom } from './segments.ts';

const data = record(0, 0x0100, 0xde, 0xad);

describe('parseIntelHex', () => {
  test.each<[string, string[], number]>([
    ['type 04 gives the upper 16 bits of the address', [record(4, 0, 0x08, 0x00), data], 0x08000100],
    ['a type 04 base of 0xFFFF is not negative', [record(4, 0, 0xff, 0xff), data], 0xffff0100],
    ['type 02 gives bits 4 to 19 of the address', [record(2, 0, 0x10, 0x01), data], 0x10110],
    ['a base holds until the next one', [record(4, 0, 0, 1), record(2, 0, 0, 0), data], 0x0100],
    ['a base holds across a start address', [record(4, 0, 0, 1), record(5, 0, 0, 0, 1, 1), data], 0x10100],
    [
      'start addresses of types 03 and 05 are skipped',
      [record(3, 0, 0, 0, 1, 0), record(5, 0, 0, 0, 1, 1), data],
      0x0100,
    ],
    ['a record may end at a 64 KiB boundary', [record(0, 0xfffe, 0xde, 0xad)], 0xfffe],
  ])('%s', (_, lines, address) => {
    expect(plain(parseIntelHex([...lines, endRecord].join('\n')))).toEqual([
      { address, bytes: [0xde, 0xad] },
    ]);
  });

  test.each([
    ['LF', `${data}\n${endRecord}\n`],
    ['CR LF', `${data}\r\n${endRecord}\r\n`],
    ['CR', `${data}\r${endRecord}\r`],
    ['no line end at the end', `${data}\n${endRecord}`],
    ['blank lines', `\n${data}\n \n${endRecord}\n\n\t\n`],
    ['lower case', `${data}\n${endRecord}`.toLowerCase()],
  ])('takes %s', (_, text) => {
    expect(plain(parseIntelHex(text))).toEqual([{ address: 0x0100, bytes: [0xde, 0xad] }]);
  });

  const invalid = 'line 1 is not an Intel HEX record';
  test.each<[string, string[], string]>([
    ['a line without colon', [data.slice(1), endRecord], invalid],
    ['a digit that is not hex', [data.replace('D', 'G'), endRecord], invalid],
    ['an odd number of digits', [`${data}0`, endRecord], invalid],
    ['a record of 4 bytes', [':00000000', endRecord], invalid],
    ['a line longer than any record', [`:${'00'.repeat(261)}`, endRecord], invalid],
    ['a blank after a record', [`${data} `, endRecord], invalid],
    ['a length above that of the data', [':03010000DEAD72', endRecord], 'line 1 has the wrong length'],
    ['a length below that of the data', [':01010000DEAD72', endRecord], 'line 1 has the wrong length'],
    ['a wrong checksum', [':02010000DEAD73', endRecord], 'line 1 has the wrong checksum'],
    ['a record type above 05', [record(6, 0), endRecord], 'line 1 has an unknown record type'],
    ['a data record without data', [record(0, 0x100), endRecord], 'line 1 has no data'],
    ['a record across 64 KiB', [record(0, 0xffff, 1, 2), endRecord], 'line 1 crosses a 64 KiB boundary'],
    ['a type 02 of one byte', [record(2, 0, 1), endRecord], 'line 1 has the wrong length for its type'],
    ['a type 03 of two bytes', [record(3, 0, 1, 2), endRecord], 'line 1 has the wrong length for its type'],
    ['a type 04 of no bytes', [record(4, 0), endRecord], 'line 1 has the wrong length for its type'],
    [
      'a type 05 of five bytes',
      [record(5, 0, 1, 2, 3, 4, 5), endRecord],
      'line 1 has the wrong length for its type',
    ],
    ['an end record with data', [record(1, 0, 0)], 'line 1 has the wrong length for its type'],
    [
      'a type 04 with an address',
      [record(4, 1, 0, 0), endRecord],
      'line 1 has an address where its type has none',
    ],
    ['an end record with an address', [record(1, 1)], 'line 1 has an address where its type has none'],
    ['no end record', [data], 'it has no end record: it is cut short'],
    ['data after the end record', [endRecord, data], 'line 2 comes after the end record'],
    ['a second end record', [data, endRecord, endRecord], 'line 3 comes after the end record'],
    ['text after the end record', [data, endRecord, 'bye'], 'line 3 is not an Intel HEX record'],
  ])('refuses %s', (_, lines, reason) => {
    expect(() => parseIntelHex(lines.join('\n'))).toThrow(new FirmwareRefused(reason));
  });

  test('refuses any one changed bit, or reads the same from it (the case of a digit)', () => {
    const text = `${record(4, 0, 0, 1)}\n${data}\n${endRecord}`;
    const expected = plain(parseIntelHex(text));
    for (let bit = 0; bit < text.length * 8; bit++) {
      const changed = Buffer.from(text);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(readsOrUndefined(changed) ?? expected, `bit ${bit}`).toEqual(expected);
    }
  });
});

describe('sortSegments', () => {
  test('refuses two bytes for one address, also equal ones', () => {
    const text = `${data}\n${record(0, 0x0101, 0xad)}\n${endRecord}`;
    const reason = 'it has two bytes for 0x00000101';
    expect(() => sortSegments(parseIntelHex(text))).toThrow(new FirmwareRefused(reason));
  });

  test('refuses a file with an end record and nothing else', () => {
    const reason = 'it has no bytes to program';
    expect(() => sortSegments(parseIntelHex(endRecord))).toThrow(new FirmwareRefused(reason));
  });

  test('puts records in order, and joinSegments joins those that touch', () => {
    const text = [record(0, 4, 5), record(0, 2, 3, 4), record(0, 0, 1), endRecord].join('\n');
    expect(plain(joinSegments(sortSegments(parseIntelHex(text))))).toEqual([
      { address: 0, bytes: [1] },
      { address: 2, bytes: [3, 4, 5] },
    ]);
  });
});

describe('toIntelHex', () => {
  test('writes 32-byte records, a base for each 64 KiB, and an end record', () => {
    const segment = { address: 0x0800fff0, bytes: new Uint8Array(48).fill(0xaa) };
    expect(Buffer.from(toIntelHex([segment])).toString()).toBe(
      [
        ':020000040800F2',
        `:10FFF000${'AA'.repeat(16)}61`,
        ':020000040801F1',
        `:20000000${'AA'.repeat(32)}A0`,
        ':00000001FF',
        '',
      ].join('\n'),
    );
  });

  test.each([0, 0x0800_0000, 0xfff0_0000])('writes what reads back to the same, from %i', (start) => {
    fc.assert(
      fc.property(segmentsFrom(start), (segments) => {
        expect(plain(reread(segments))).toEqual(plain(segments));
      }),
    );
  });

  test('writes the last byte of the address space', () => {
    const segments = [{ address: 0xffff_ffff, bytes: Uint8Array.of(7) }];
    expect(plain(reread(segments))).toEqual(plain(segments));
  });
});

function reread(segments: readonly Segment[]): Segment[] {
  return joinSegments(sortSegments(parseIntelHex(Buffer.from(toIntelHex(segments)).toString())));
}

function readsOrUndefined(file: Buffer): object | undefined {
  try {
    return plain(parseIntelHex(file.toString('latin1')));
  } catch (error) {
    expect(error).toBeInstanceOf(FirmwareRefused);
    return undefined;
  }
}
