import { cursor, DerError, read, readBitString, readPositiveInteger, tag } from '../der.ts';

/**
 * The two numbers of the ECDSA signature on a request or certificate, 32 bytes each (RFC 3279 2.2.3). The first is told
 * by the random number of the signature: twice the same one gives keys away. Undefined if there is none.
 */
export function signatureNumbers(der: Uint8Array): { readonly r: Buffer; readonly s: Buffer } | undefined {
  try {
    const signed = cursor(read(cursor(der), tag.sequence));
    read(signed, tag.sequence);
    read(signed, tag.sequence); // algorithm
    const numbers = cursor(read(cursor(readBitString(signed)), tag.sequence));
    return { r: padded(readPositiveInteger(numbers)), s: padded(readPositiveInteger(numbers)) };
  } catch (error) {
    if (error instanceof DerError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws RangeError if it has more than 256 bits */
function padded(number: Uint8Array): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.set(number[0] === 0 ? number.subarray(1) : number, 32 - number.length + Number(number[0] === 0));
  return bytes;
}
