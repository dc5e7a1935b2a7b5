import { createECDH, hash } from 'node:crypto';

let made: ReadonlyMap<string, string> | undefined;

/**
 * Public keys of private keys that anybody would try first, by their X coordinate in hex: a key and its negative have
 * the same. Small numbers, powers of two, one byte over and over, bytes that count up or down, hashes of nothing.
 */
export function weakPoints(): ReadonlyMap<string, string> {
  return (made ??= make());
}

function make(): ReadonlyMap<string, string> {
  const points = new Map<string, string>();
  const add = (scalar: Buffer, why: string) => {
    const x = xOf(scalar);
    if (x !== undefined && !points.has(x)) points.set(x, why);
  };
  for (let number = 1; number <= 1024; number += 1)
    add(scalarOf(BigInt(number)), `it is the number ${number}`);
  for (let bit = 11; bit < 256; bit += 1) add(scalarOf(1n << BigInt(bit)), `it is 2 to the power of ${bit}`);
  for (let byte = 1; byte < 256; byte += 1)
    add(Buffer.alloc(32, byte), `it is the byte ${byte} over and over`);
  for (const from of [0, 1]) {
    const counting = Buffer.from(Array.from({ length: 32 }, (_, at) => at + from));
    add(counting, 'its bytes count up');
    add(Buffer.from(counting.toReversed()), 'its bytes count down');
  }
  add(Buffer.from(hash('sha256', '', 'hex'), 'hex'), 'it is SHA-256 of nothing');
  add(Buffer.from(hash('sha256', Buffer.alloc(32), 'hex'), 'hex'), 'it is SHA-256 of zeros');
  return points;
}

const curve = createECDH('prime256v1');

function xOf(scalar: Buffer): string | undefined {
  try {
    curve.setPrivateKey(scalar);
    return curve.getPublicKey('hex').slice(2, 66);
  } catch {
    return undefined; // not below the order of the curve: no key
  }
}

function scalarOf(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
}
