/**
 * A strict reader and writer for DER (X.690 clause 10): definite, shortest lengths only, nothing left over. Our own,
 * because what certificates are made of must have one encoding and general ASN.1 libraries also read BER.
 */

/** Universal and context tags used in PKCS#8, PKCS#10 and X.509 (X.690 8.1.2). */
export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  keyIdentifier: 0x80,
  attributes: 0xa0,
  version: 0xa0,
  crlExtensions: 0xa0,
  extensions: 0xa3,
} as const;

/** The bytes are not DER, or not of the shape asked for. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Where reading stands: `bytes` from `at` on is still to come. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

export function cursor(bytes: Uint8Array): Cursor {
  return { bytes, at: 0 };
}

export function nextTag(from: Cursor): number | undefined {
  return from.bytes[from.at];
}

/** The contents octets of the next element, which must have this tag. @throws DerError */
export function read(from: Cursor, expected: number): Uint8Array {
  if (nextTag(from) !== expected) throw new DerError('unexpected tag');
  const { length, header } = readLength(from.bytes, from.at + 1);
  const start = from.at + 1 + header;
  if (start + length > from.bytes.length) throw new DerError('cut short');
  from.at = start + length;
  return from.bytes.subarray(start, start + length);
}

/** The next element whole, tag and length included. @throws DerError */
export function readWhole(from: Cursor, expected: number): Uint8Array {
  const start = from.at;
  read(from, expected);
  return from.bytes.subarray(start, from.at);
}

/** The contents of a BIT STRING of whole octets. @throws DerError */
export function readBitString(from: Cursor): Uint8Array {
  const contents = read(from, tag.bitString);
  if (contents[0] !== 0) throw new DerError('unused bits');
  return contents.subarray(1);
}

/** The contents of a positive INTEGER in its shortest form. @throws DerError */
export function readPositiveInteger(from: Cursor): Uint8Array {
  const contents = read(from, tag.integer);
  const [first = 0x80, second = 0] = contents;
  if (first >= 0x80) throw new DerError('negative or empty integer');
  if (first === 0 && (contents.length === 1 || second < 0x80)) throw new DerError('integer zero or padded');
  return contents;
}

/** @throws DerError unless everything was read */
export function end(from: Cursor): void {
  if (from.at !== from.bytes.length) throw new DerError('bytes left over');
}

function readLength(bytes: Uint8Array, at: number): { length: number; header: number } {
  const first = bytes[at] ?? 0x80;
  if (first < 0x80) return { length: first, header: 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 2) throw new DerError('indefinite length, or over 64 KiB');
  let length = 0;
  for (let i = 1; i <= count; i += 1) length = length * 256 + (bytes[at + i] ?? 0);
  if (length < (count === 1 ? 0x80 : 0x100)) throw new DerError('length not in its shortest form');
  return { length, header: 1 + count };
}

/** One element: its tag, the length in its shortest form, its contents. */
export function element(type: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.of(type, ...lengthOctets(length)), ...contents]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 + octets.length, ...octets];
}
