import { type DeviceId, type IdentityPage, parseDeviceId } from '../device.ts';
import { pointLength } from '../public-key.ts';
import {
  hashLength,
  headerLength,
  readHeader,
  readTlvs,
  type Tlv,
  tlvLength,
  writeContainer,
} from './container.ts';
import { FactoryDataError } from './refusal.ts';
import { one, publicKey } from './values.ts';

const idType = 1;
const publicKeyType = 2;
const privateKeyType = 3;
const idLength = 8;
const privateKeyLength = 32;

/** Bytes up to the end of the public key: all that may be read from a board. The private key comes next. */
export const identityPageHeadLength = headerLength + tlvLength(idLength) + tlvLength(pointLength);

/** Bytes of a whole identity page of this version. */
export const identityPageLength = identityPageHeadLength + tlvLength(privateKeyLength) + hashLength;

/**
 * Writes the identity page at the start of `into` and returns its length. `privateKey` is the raw 32-byte
 * scalar, outside the bytes written; it is copied into `into` and nowhere else, so both are the caller's to
 * wipe, also after an error. That the two keys belong together is for the caller to know. Layout: design section 3.
 * @throws FactoryDataError `value`, `too-long`
 */
export function encodeIdentityPage(
  into: Uint8Array,
  id: DeviceId,
  point: Uint8Array,
  privateKey: Uint8Array,
): number {
  if (privateKey.length !== privateKeyLength)
    throw new FactoryDataError('value', 'a private key is not 32 bytes');
  return writeContainer(into, [
    { type: idType, value: new TextEncoder().encode(id) },
    { type: publicKeyType, value: publicKey(point) },
    { type: privateKeyType, value: privateKey },
  ]);
}

/**
 * Reads the first `identityPageHeadLength` bytes of a page; given any other number it answers `damaged`.
 * It never throws. The hash covers the private key and so cannot be checked here: the id and the public key
 * found must be compared with the registry. `publicKey` is 04‖X‖Y in lower-case hex.
 */
export function decodeIdentityHead(bytes: Uint8Array): IdentityPage {
  try {
    return readHead(bytes);
  } catch (error) {
    const rule = error instanceof FactoryDataError ? error.rule : 'value';
    return { kind: rule === 'blank' || rule === 'interrupted' ? rule : 'damaged' };
  }
}

function readHead(bytes: Uint8Array): IdentityPage {
  if (bytes.length !== identityPageHeadLength) throw new FactoryDataError('truncated', 'not a head');
  if (readHeader(bytes) < identityPageLength)
    throw new FactoryDataError('total-length', 'no room for a private key');
  const tlvs = readTlvs(bytes.subarray(headerLength));
  const point = publicKey(one(tlvs, publicKeyType));
  return { kind: 'identity', id: readId(tlvs), publicKey: Buffer.from(point).toString('hex') };
}

function readId(tlvs: readonly Tlv[]): DeviceId {
  const value = one(tlvs, idType);
  return parseDeviceId(Buffer.from(value).toString('latin1'));
}
