import { importPublicKey } from '../public-key.ts';
import type { Tlv } from './container.ts';
import { FactoryDataError } from './refusal.ts';

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

/** Returns `point` if it is one of P-256, 04‖X‖Y. @throws FactoryDataError `value` */
export function publicKey(point: Uint8Array): Uint8Array {
  if (importPublicKey(point) === undefined)
    throw new FactoryDataError('value', 'a public key is not an uncompressed point of P-256');
  return point;
}
