import { createHash } from 'node:crypto';
import { FactoryDataError } from './refusal.ts';

/** The smallest erase unit of the chips lineside knows; no container is longer (design section 3). */
const pageSize = 4096;
export const headerLength = 16;
export const hashLength = 32;

const tlvHeaderLength = 4;
const magic = 0x3146534c; // "LSF1", little-endian
const blankWord = 0xffffffff;
const blankByte = 0xff;
const major = 1;
const minor = 0;

/** On reading, `value` is a view into the page, not a copy. */
export interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Bytes that a TLV takes in flash: its header, its value and the padding to the next word. */
export function tlvLength(valueLength: number): number {
  return tlvHeaderLength + aligned(valueLength);
}

export function containerLength(tlvs: readonly Tlv[]): number {
  return tlvs.reduce((sum, { value }) => sum + tlvLength(value.length), headerLength + hashLength);
}

/**
 * Writes a whole container at the start of `into` and returns its length. A value that is secret is copied
 * once, from the caller's memory into the caller's memory; SHA-256 reads it in place, in OpenSSL.
 * @throws FactoryDataError `too-long`
 */
export function writeContainer(into: Uint8Array, tlvs: readonly Tlv[]): number {
  const total = containerLength(tlvs);
  if (total > Math.min(pageSize, into.length))
    throw new FactoryDataError('too-long', `${total} bytes do not fit`);
  writeHeader(into, total);
  let at = headerLength;
  for (const tlv of tlvs) at = writeTlv(into, at, tlv);
  into.set(hashOf(into, at), at);
  return total;
}

/**
 * Reads a container as it lies in flash: what follows it, up to the end of the page, must be blank.
 * @throws FactoryDataError
 */
export function readContainer(page: Uint8Array): Tlv[] {
  if (page.length > pageSize) throw new FactoryDataError('too-long', 'more bytes than a page has');
  const total = readHeader(page);
  if (total > page.length) throw new FactoryDataError('truncated', 'the page ends before the container');
  if (!isBlank(page.subarray(total))) throw new FactoryDataError('trailing', 'bytes follow the container');
  const end = total - hashLength;
  const hash = hashOf(page, end);
  if (hash.compare(page, end, total) !== 0) throw new FactoryDataError('hash', 'SHA-256 differs');
  return readTlvs(page.subarray(headerLength, end));
}

/** Checks the 16 bytes of the header and returns the total length of the container. @throws FactoryDataError */
export function readHeader(page: Uint8Array): number {
  if (page.length < headerLength) throw new FactoryDataError('truncated', 'the header is cut short');
  refuseUnwritten(page);
  const view = viewOf(page);
  if (view.getUint32(0, true) !== magic) throw new FactoryDataError('magic', 'does not begin with LSF1');
  if (view.getUint8(4) !== major) throw new FactoryDataError('version', 'made by an unknown format');
  if (view.getUint16(6, true) !== headerLength) throw new FactoryDataError('header-length', 'is not 16');
  return readTotalLength(view);
}

/**
 * Splits `body`, whose length is a multiple of 4 and which must consist of whole TLVs and nothing else.
 * @throws FactoryDataError `tlv-length`, `padding`
 */
export function readTlvs(body: Uint8Array): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = 0; at < body.length; ) {
    const tlv = readTlv(body, at);
    tlvs.push(tlv);
    at += tlvLength(tlv.value.length);
  }
  return tlvs;
}

function writeHeader(into: Uint8Array, total: number): void {
  const view = viewOf(into);
  view.setUint32(0, magic, true);
  view.setUint8(4, major);
  view.setUint8(5, minor);
  view.setUint16(6, headerLength, true);
  view.setUint32(8, total, true);
  view.setUint32(12, ~total, true);
}

function writeTlv(into: Uint8Array, at: number, { type, value }: Tlv): number {
  const view = viewOf(into);
  view.setUint16(at, type, true);
  view.setUint16(at + 2, value.length, true);
  const from = at + tlvHeaderLength;
  const next = at + tlvLength(value.length);
  into.set(value, from);
  into.fill(blankByte, from + value.length, next);
  return next;
}

function readTlv(body: Uint8Array, at: number): Tlv {
  const from = at + tlvHeaderLength;
  const view = viewOf(body);
  const to = from + view.getUint16(at + 2, true);
  const next = from + aligned(to - from);
  if (next > body.length) throw new FactoryDataError('tlv-length', 'a TLV runs over the end');
  if (!isBlank(body.subarray(to, next))) throw new FactoryDataError('padding', 'is not 0xFF');
  return { type: view.getUint16(at, true), value: body.subarray(from, to) };
}

// The magic word is written last, so a page without it is what an interrupted write leaves (design section 3).
function refuseUnwritten(page: Uint8Array): void {
  if (isBlank(page)) throw new FactoryDataError('blank', 'nothing was written');
  if (viewOf(page).getUint32(0, true) === blankWord)
    throw new FactoryDataError('interrupted', 'the magic word is missing');
}

function readTotalLength(view: DataView): number {
  const total = view.getUint32(8, true);
  const complement = view.getUint32(12, true);
  if (~total >>> 0 !== complement) throw new FactoryDataError('total-length', 'its complement differs');
  if (total > pageSize) throw new FactoryDataError('too-long', 'more bytes than a page has');
  if (total < headerLength + hashLength || total % 4 !== 0)
    throw new FactoryDataError('total-length', 'is not that of a container');
  return total;
}

function hashOf(bytes: Uint8Array, end: number): Buffer {
  return createHash('sha256').update(bytes.subarray(0, end)).digest();
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === blankByte);
}

function aligned(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
