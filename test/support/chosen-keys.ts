import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { element } from '../../src/der.ts';
import type { DeviceId } from '../../src/device.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import type { Request } from './station-life.ts';

/** The order of P-256 (SEC 2, 2.4.2). */
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A private key of somebody's choice. */
export function keyOf(scalar: bigint): KeyObject {
  const d = bytesOf(scalar);
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(d);
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  return createPrivateKey({
    key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', d: d.toString('base64url') },
    format: 'jwk',
  });
}

export function scalarOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
}

/** The key that has the same X as this one (SEC 1 2.2.1). */
export function negative(key: KeyObject): KeyObject {
  return keyOf(n - BigInt(`0x${scalarOf(key).toString('hex')}`));
}

export function requestWith(key: KeyObject): (id: DeviceId) => Request {
  return (id) => {
    const parts = partsWith(key, id);
    return { csr: assemble(parts), spki: parts.publicKeyInfo, key };
  };
}

/** A request that holds and was signed with a random number of somebody's choice: s = k⁻¹(e + r·d) (FIPS 186-5 6.4.1). */
export function requestWithNonce(key: KeyObject, nonce: bigint): (id: DeviceId) => Request {
  return (id) => {
    const parts = partsWith(key, id);
    const info = element(0x30, parts.version, parts.subject, parts.publicKeyInfo, parts.attributes);
    const r = numberOf(pointX(nonce)) % n;
    const e = numberOf(createHash('sha256').update(info).digest());
    const s = (inverse(nonce) * ((e + r * numberOf(scalarOf(key))) % n)) % n;
    const signature = element(0x30, integer(r), integer(s));
    const csr = element(0x30, info, parts.algorithm, element(0x03, Buffer.of(0), signature));
    return { csr, spki: parts.publicKeyInfo, key };
  };
}

function partsWith(key: KeyObject, id: DeviceId) {
  const publicKeyInfo = createPublicKey(key as never).export({ format: 'der', type: 'spki' });
  return { ...goodParts(id), key, publicKeyInfo };
}

function pointX(scalar: bigint): Buffer {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(bytesOf(scalar));
  return pair.getPublicKey().subarray(1, 33);
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return element(0x02, Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex'));
}

/** By Fermat: n is prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  for (let [square, exponent] = [value % n, n - 2n]; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % n;
    square = (square * square) % n;
  }
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}
