import { createHash, verify } from 'node:crypto';
import {
  cursor,
  DerError,
  end,
  nextTag,
  read,
  readBitString,
  readPositiveInteger,
  readWhole,
  tag,
} from '../der.ts';
import { type DeviceId, parseDeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { importPublicKey, pointLength, spkiSha256 } from '../public-key.ts';

/** A certificate request that holds all the rules of design section 6. */
export interface VerifiedCsr {
  readonly id: DeviceId;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly spkiSha256: string;
  /** SHA-256 of the whole request, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** Why a request is refused. */
export const csrRules = {
  'too-large': 'it is over 1,024 bytes',
  'not-der': 'it is not DER of the shape RFC 2986 gives',
  version: 'its version is not 0',
  subject: 'its subject is not exactly CN=<id>, serialNumber=<id>',
  'device-id': 'its subject is not 8 upper-case hex digits, 00000001 to FFFFFFFE',
  'key-algorithm': 'its key is not an EC key',
  curve: 'its key is not on the named curve P-256',
  point: 'its public key is not an uncompressed point',
  'off-curve': 'its public key is not a point of the curve',
  attributes: 'it has attributes: a device may not ask for extensions',
  'signature-algorithm': 'its signature is not ecdsa-with-SHA256',
  signature: 'its own signature does not hold, so possession of the key is not proven',
} as const;
type CsrRule = keyof typeof csrRules;

const maximumLength = 1024;
const oid = {
  commonName: '550403',
  serialNumber: '550405',
  ecPublicKey: '2a8648ce3d0201',
  prime256v1: '2a8648ce3d030107',
  ecdsaWithSha256: '2a8648ce3d040302',
};

/**
 * Parses and verifies a PKCS#10 request (RFC 2986). Strict: one encoding is accepted, and nothing beside it.
 * @throws LinesideError `csr-refused`, fact `rule` in words and `name` one of `csrRules`
 */
export function verifyCsr(der: Uint8Array): VerifiedCsr {
  if (der.length > maximumLength) refuse('too-large');
  try {
    return verifyStructure(der);
  } catch (error) {
    if (error instanceof DerError) refuse('not-der', error);
    throw error;
  }
}

function verifyStructure(der: Uint8Array): VerifiedCsr {
  const outer = cursor(der);
  const request = cursor(read(outer, tag.sequence));
  end(outer);
  const signedBytes = readWhole(request, tag.sequence);
  const info = cursor(read(cursor(signedBytes), tag.sequence));

  if (hex(read(info, tag.integer)) !== '00') refuse('version');
  const id = readSubject(read(info, tag.sequence));
  const publicKey = readPublicKey(read(info, tag.sequence));
  if (read(info, tag.attributes).length > 0) refuse('attributes');
  end(info);
  readSignatureAlgorithm(read(request, tag.sequence));
  const signature = readBitString(request);
  end(request);

  verifySignature(signedBytes, publicKey, signature);
  const sha256 = createHash('sha256').update(der).digest('hex');
  return { id, publicKey: publicKey.slice(), spkiSha256: spkiSha256(publicKey), sha256 };
}

function readSubject(bytes: Uint8Array): DeviceId {
  const subject = cursor(bytes);
  const name = readAttribute(read(subject, tag.set), oid.commonName);
  if (nextTag(subject) !== tag.set) refuse('subject');
  const serial = readAttribute(read(subject, tag.set), oid.serialNumber);
  if (subject.at !== bytes.length || name !== serial) refuse('subject');
  try {
    return parseDeviceId(name);
  } catch (cause) {
    return refuse('device-id', cause);
  }
}

/** A relative distinguished name of one PrintableString attribute of this type. */
function readAttribute(set: Uint8Array, type: string): string {
  const members = cursor(set);
  const attribute = cursor(read(members, tag.sequence));
  const foreign = hex(read(attribute, tag.objectIdentifier)) !== type;
  if (foreign || nextTag(attribute) !== tag.printableString || members.at !== set.length) refuse('subject');
  const value = read(attribute, tag.printableString);
  end(attribute);
  return Buffer.from(value).toString('latin1');
}

function readPublicKey(bytes: Uint8Array): Uint8Array {
  const info = cursor(bytes);
  const algorithm = cursor(read(info, tag.sequence));
  if (hex(read(algorithm, tag.objectIdentifier)) !== oid.ecPublicKey) refuse('key-algorithm');
  if (nextTag(algorithm) !== tag.objectIdentifier) refuse('curve'); // explicit parameters (RFC 5480 2.1.1)
  if (hex(read(algorithm, tag.objectIdentifier)) !== oid.prime256v1) refuse('curve');
  end(algorithm);
  const point = readBitString(info);
  end(info);
  if (point.length !== pointLength || point[0] !== 4) refuse('point');
  return point;
}

function readSignatureAlgorithm(bytes: Uint8Array): void {
  const algorithm = cursor(bytes);
  const type = hex(read(algorithm, tag.objectIdentifier));
  // RFC 5758 3.2: the parameters are absent.
  if (type !== oid.ecdsaWithSha256 || algorithm.at !== bytes.length) refuse('signature-algorithm');
}

function verifySignature(message: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): void {
  const key = importPublicKey(publicKey) ?? refuse('off-curve');
  const outer = cursor(signature);
  const values = cursor(read(outer, tag.sequence));
  readPositiveInteger(values);
  readPositiveInteger(values);
  end(values);
  end(outer);
  if (!verify('sha256', message, key, signature)) refuse('signature');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function refuse(name: CsrRule, cause?: unknown): never {
  throw new LinesideError('csr-refused', { rule: csrRules[name], name }, { cause });
}
