import type { FileHandle } from 'node:fs/promises';

/**
 * All bytes of an open file that has `size` of them; undefined if it has more or fewer by now. One byte of room
 * more than it had shows whether it grows under our hands.
 */
export async function readWhole(file: FileHandle, size: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(size + 1);
  for (let length = 0; ; ) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
    if (bytesRead === 0) return length === size ? bytes.subarray(0, length) : undefined;
    length += bytesRead;
  }
}
