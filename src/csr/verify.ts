import { createHash, type KeyObject } from 'node:crypto';
import {
  type Cursor,
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
import { readDeviceName } from '../device-name.ts';
import { isEcdsaWithSha256, type Signed, verifyElsewhere, verifyHere } from '../ecdsa.ts';
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
const oid = { ecPublicKey: '2a8648ce3d0201', prime256v1: '2a8648ce3d030107' };

/**
 * Parses and verifies a PKCS#10 request (RFC 2986). Strict: one encoding is accepted, and nothing beside it.
 * @throws LinesideError `csr-refused`, fact `rule` in words and `name` one of `csrRules`
 */
export function verifyCsr(der: Uint8Array): VerifiedCsr {
  const { csr, message, signature } = readCsr(der);
  if (!verifyHere({ message, signature, key: keyOf(csr.publicKey) })) refuse('signature');
  return csr;
}

/** As `verifyCsr`, but another thread verifies the signature: for those who have many. */
export async function verifyCsrElsewhere(der: Uint8Array): Promise<VerifiedCsr> {
  const { csr, message, signature } = readCsr(der);
  if (!(await verifyElsewhere({ message, signature, key: keyOf(csr.publicKey) }))) refuse('signature');
  return csr;
}

/** What a request says that was verified before: key and signature are not looked at again. @throws as `verifyCsr` */
export function readVerifiedCsr(der: Uint8Array): VerifiedCsr {
  return readCsr(der).csr;
}

/** The device that a request says it is of, however bad it is; undefined if that cannot be read. */
export function claimedDevice(der: Uint8Array): DeviceId | undefined {
  try {
    const info = cursor(read(cursor(read(cursor(der), tag.sequence)), tag.sequence));
    read(info, tag.integer);
    return readSubject(read(info, tag.sequence));
  } catch (error) {
    if (error instanceof DerError || error instanceof LinesideError) return undefined;
    throw error;
  }
}

/** What it says, by every rule but the last two: that its key is on the curve, and that its signature holds. */
function readCsr(der: Uint8Array): { csr: VerifiedCsr } & Omit<Signed, 'key'> {
  if (der.length > maximumLength) refuse('too-large');
  return strictly(() => {
    const outer = cursor(der);
    const request = cursor(read(outer, tag.sequence));
    end(outer);
    const message = readWhole(request, tag.sequence);
    const info = cursor(read(cursor(message), tag.sequence));

    if (hex(read(info, tag.integer)) !== '00') refuse('version');
    const id = readSubject(read(info, tag.sequence));
    const publicKey = readPublicKey(read(info, tag.sequence));
    if (read(info, tag.attributes).length > 0) refuse('attributes');
    end(info);
    const signature = readSignature(request);
    end(request);

    const sha256 = createHash('sha256').update(der).digest('hex');
    const csr = { id, publicKey: publicKey.slice(), spkiSha256: spkiSha256(publicKey), sha256 };
    return { csr, message, signature };
  });
}

function readSubject(bytes: Uint8Array): DeviceId {
  const name = readDeviceName(bytes) ?? refuse('subject');
  try {
    return parseDeviceId(name);
  } catch (cause) {
    return refuse('device-id', cause);
  }
}

export function strictly<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof DerError) refuse('not-der', error);
    throw error;
  }
}

export function readPublicKey(bytes: Uint8Array): Uint8Array {
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

/** The signature algorithm, then the signature. */
export function readSignature(request: Cursor): Uint8Array {
  if (!isEcdsaWithSha256(read(request, tag.sequence))) refuse('signature-algorithm');
  const signature = readBitString(request);
  const outer = cursor(signature);
  const values = cursor(read(outer, tag.sequence));
  readPositiveInteger(values);
  readPositiveInteger(values);
  end(values);
  end(outer);
  return signature;
}

/** The key of an uncompressed point. */
export function keyOf(publicKey: Uint8Array): KeyObject {
  return importPublicKey(publicKey) ?? refuse('off-curve');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function refuse(name: CsrRule, cause?: unknown): never {
  throw new LinesideError('csr-refused', { rule: csrRules[name], name }, { cause });
}
