import { randomBytes } from 'node:crypto';

/** Length of every serial number: RFC 5280 4.1.2.2 allows 20 bytes, CA/Browser rules ask for 64 random bits. */
const serialLength = 16;

/** Random, positive, and always of this length, so that certificates are too: the two top bits are 01. */
export function randomSerial(): Uint8Array {
  const serial = randomBytes(serialLength);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
