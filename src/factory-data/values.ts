import { ECDH } from 'node:crypto';
import type { Tlv } from './container.ts';
import { FactoryDataError } from './refusal.ts';

/** An uncompressed P-256 point, 04‖X‖Y (SEC 1 section 2.3.3). */
export const publicKeyLength = 65;

/** The value of a type that must be there exactly once. @throws FactoryDataError `missing`, `duplicate` */
export function one(tlvs: readonly Tlv[], type: number): Uint8Array {
  const value = atMostOne(tlvs, type);
  if (value === undefined) throw new FactoryDataError('missing', `type ${type}`);
  return value;
}

/** @throws FactoryDataError `duplicate` */
export function atMostOne(tlvs: readonly Tlv[], type: number): Uint8Array | undefined {
  const [value, second] = all(tlvs, type);
  if (second !== undefined) throw new FactoryDataError('duplicate', `type ${type}`);
  return value;
}

export function all(tlvs: readonly Tlv[], type: number): Uint8Array[] {
  return tlvs.filter((tlv) => tlv.type === type).map(({ value }) => value);
}

/** Returns `bytes` if they are a point on P-256; OpenSSL does the arithmetic. @throws FactoryDataError `value` */
export function publicKey(bytes: Uint8Array): Uint8Array {
  // OpenSSL also reads compressed and hybrid points: their length or first byte gives them away.
  if (bytes.length !== publicKeyLength || bytes[0] !== 0x04)
    throw new FactoryDataError('value', 'a public key is not 04, X and Y');
  try {
    ECDH.convertKey(bytes, 'prime256v1');
    return bytes;
  } catch (cause) {
    throw new FactoryDataError('value', 'a public key is not on P-256', { cause });
  }
}
