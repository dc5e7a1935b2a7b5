import type { FlashMap } from '../../src/firmware/placement.ts';

/** The flash of an nRF52840, with its factory pages below the last two pages. */
export const flash: FlashMap = {
  chip: 'nrf52840',
  start: 0,
  end: 0x100000,
  factoryDataStart: 0xfc000,
  factoryDataEnd: 0xfe000,
};

export const endRecord = ':00000001FF';

/** One Intel HEX record with its length and checksum. */
export function record(type: number, offset: number, ...data: number[]): string {
  const bytes = Buffer.from([data.length, offset >> 8, offset, type, ...data, 0]);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.writeUInt8((256 - (sum % 256)) % 256, bytes.length - 1);
  return `:${bytes.toString('hex').toUpperCase()}`;
}

export interface LoadHeader {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** A 32-bit little-endian Arm executable: header, program headers, then `content` at `contentOffset(count)`. */
export function elfFile(headers: readonly LoadHeader[], content: Uint8Array): Buffer {
  const file = Buffer.alloc(contentOffset(headers.length));
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(40, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(52, 28);
  file.writeUInt16LE(52, 40);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(headers.length, 44);
  headers.forEach(({ type, offset, address, fileSize, memorySize }, index) => {
    const words = [type, offset, 0x20000000, address, fileSize, memorySize, 5, 4];
    words.forEach((word, at) => void file.writeUInt32LE(word, 52 + index * 32 + at * 4));
  });
  return Buffer.concat([file, content]);
}

export function contentOffset(headerCount: number): number {
  return 52 + headerCount * 32;
}

/** An executable with one segment at `address`. */
export function simpleElf(address: number, content: Uint8Array): Buffer {
  const length = content.length;
  const header = { type: 1, offset: contentOffset(1), address, fileSize: length, memorySize: length };
  return elfFile([header], content);
}
