import { FirmwareRefused, type Segment } from './segments.ts';

/** One record: type, 16-bit offset and data, its checksum already found right. */
interface HexRecord {
  readonly type: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

/** Record types of the Intel Hexadecimal Object File Format Specification, revision A (1988). */
const recordTypes = { data: 0, end: 1, segmentBase: 2, segmentStart: 3, linearBase: 4, linearStart: 5 };
/** How much data each type but `data` has. */
const fixedLengths = new Map([
  [recordTypes.end, 0],
  [recordTypes.segmentBase, 2],
  [recordTypes.segmentStart, 4],
  [recordTypes.linearBase, 2],
  [recordTypes.linearStart, 4],
]);
// 260 bytes: the longest record there is, so that a long line costs no time.
const recordText = /^:(?:[0-9A-F]{2}){5,260}$/i;
const bankSize = 0x10000;
const recordSize = 32;

/**
 * Reads Intel HEX, in file order and not joined. Stricter than the specification where tools differ: no record
 * crosses 64 KiB, nothing but blank lines follows the end record.
 * @throws FirmwareRefused naming the line
 */
export function parseIntelHex(text: string): Segment[] {
  const pieces: Segment[] = [];
  let base = 0;
  let ended = false;
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') continue;
    const record = readRecord(line, index + 1);
    if (ended) throw refused(index + 1, 'comes after the end record');
    if (record.type === recordTypes.data) pieces.push({ address: base + record.offset, bytes: record.data });
    else if (record.type === recordTypes.end) ended = true;
    else base = baseOf(record) ?? base;
  }
  if (!ended) throw new FirmwareRefused('it has no end record: it is cut short');
  return pieces;
}

/** Writes Intel HEX with 32-byte records and type 04 bases. `segments` are sorted and do not overlap. */
export function toIntelHex(segments: readonly Segment[]): Uint8Array {
  const lines: string[] = [];
  let bank = -1;
  for (const { address, bytes } of cut(segments)) {
    const nextBank = Math.floor(address / bankSize);
    if (nextBank !== bank)
      lines.push(formatRecord(recordTypes.linearBase, 0, [nextBank >>> 8, nextBank & 0xff]));
    bank = nextBank;
    lines.push(formatRecord(recordTypes.data, address % bankSize, bytes));
  }
  lines.push(formatRecord(recordTypes.end, 0, []));
  return Buffer.from(lines.join(''), 'latin1');
}

function readRecord(line: string, number: number): HexRecord {
  if (!recordText.test(line)) throw refused(number, 'is not an Intel HEX record');
  const bytes = Buffer.from(line.slice(1), 'hex');
  if (bytes.readUInt8(0) !== bytes.length - 5) throw refused(number, 'has the wrong length');
  if (sum(bytes) % 256 !== 0) throw refused(number, 'has the wrong checksum');
  const record = { type: bytes.readUInt8(3), offset: bytes.readUInt16BE(1), data: bytes.subarray(4, -1) };
  if (record.type === recordTypes.data) checkData(record, number);
  else checkOther(record, number);
  return record;
}

// Past 64 KiB the specification lets type 02 addresses wrap and type 04 addresses run on; tools do either.
function checkData({ offset, data }: HexRecord, number: number): void {
  if (data.length === 0) throw refused(number, 'has no data');
  if (offset + data.length > bankSize) throw refused(number, 'crosses a 64 KiB boundary');
}

function checkOther({ type, offset, data }: HexRecord, number: number): void {
  const length = fixedLengths.get(type);
  if (length === undefined) throw refused(number, 'has an unknown record type');
  if (data.length !== length) throw refused(number, 'has the wrong length for its type');
  if (offset !== 0) throw refused(number, 'has an address where its type has none');
}

// Start addresses (03 and 05) are for a loader into RAM: a Cortex-M starts at its vector table.
function baseOf({ type, data }: HexRecord): number | undefined {
  const value = () => Buffer.from(data).readUInt16BE();
  if (type === recordTypes.segmentBase) return value() * 16;
  if (type === recordTypes.linearBase) return value() * bankSize;
  return undefined;
}

function* cut(segments: readonly Segment[]): Generator<Segment> {
  for (const { address, bytes } of segments)
    for (let from = 0; from < bytes.length; ) {
      const room = bankSize - ((address + from) % bankSize);
      const to = from + Math.min(recordSize, room);
      yield { address: address + from, bytes: bytes.subarray(from, to) };
      from = to;
    }
}

function formatRecord(type: number, offset: number, data: Iterable<number>): string {
  const body = [offset >>> 8, offset & 0xff, type, ...data];
  const bytes = [body.length - 3, ...body];
  return `:${Buffer.from([...bytes, -sum(bytes)])
    .toString('hex')
    .toUpperCase()}\n`;
}

function sum(bytes: Iterable<number>): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}

function refused(number: number, problem: string): FirmwareRefused {
  return new FirmwareRefused(`line ${number} ${problem}`);
}
