import { crc32 } from 'node:zlib';

/** docs/uart-protocol.md: version, type, sequence number (u16), payload, CRC-32 of all before; little-endian. */
export interface Frame {
  readonly type: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const version = 1;
const headerLength = 4;
const crcLength = 4;

/** As long as a factory page; a device takes no more. */
const maximumPayload = 4096;
export const maximumFrame = headerLength + maximumPayload + crcLength;

export function encodeFrame({ type, sequence, payload }: Frame): Uint8Array {
  const frame = Buffer.alloc(headerLength + payload.length + crcLength);
  frame.writeUInt8(version, 0);
  frame.writeUInt8(type, 1);
  frame.writeUInt16LE(sequence, 2);
  frame.set(payload, headerLength);
  const crcAt = frame.length - crcLength;
  frame.writeUInt32LE(crc32(frame.subarray(0, crcAt)), crcAt);
  return frame;
}

/** The frame, or undefined if it was damaged on its way or is of another version. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const crcAt = frame.length - crcLength;
  if (crcAt < headerLength || frame[0] !== version) return undefined;
  if (frame.readUInt32LE(crcAt) !== crc32(frame.subarray(0, crcAt))) return undefined;
  return {
    type: frame.readUInt8(1),
    sequence: frame.readUInt16LE(2),
    payload: bytes.subarray(headerLength, crcAt),
  };
}
