import { type DeviceId, parseDeviceId } from '../device.ts';
import { importPublicKey, pointLength } from '../public-key.ts';

/*
 * What a device answers, docs/uart-protocol.md. It comes from a board that may be anybody's: each of these says undefined
 * to what it cannot be, and none lets text of the device through.
 */

/** What a device says of itself. Nothing of it is proven. */
export interface SelfTestIdentity {
  readonly id: DeviceId;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** The credentials page it has. */
  readonly credentials:
    | { readonly kind: 'blank' | 'interrupted' | 'damaged' }
    | { readonly kind: 'sound'; readonly generation: number; readonly certificateSha256: string };
}

/** How far a device came when it was told to join its broker. */
export interface JoinReport {
  /** The step that failed, `done` if none did. */
  readonly step: (typeof joinSteps)[number];
  /** Of mbedTLS if negative, else the broker's reason code (MQTT 5.0 section 2.4). */
  readonly error: number;
  /** MBEDTLS_X509_BADCERT_*: what the device has against the broker's certificate. */
  readonly flags: number;
  /** The broker's alert (RFC 8446 section 6), 0 if there was none. */
  readonly alert: number;
}

const joinSteps = ['done', 'credentials', 'network', 'handshake', 'connack', 'suback', 'puback'] as const;

type Answer =
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'refused'; readonly reason: string };

const reasons: readonly (string | undefined)[] = [
  undefined,
  'it speaks another version of the self-test protocol',
  'it does not know the request',
  'the request has the wrong length',
  'its identity page is not sound',
  'the credentials page is not sound',
  'the certificate is not for this device, or a certificate of the page cannot be read',
  'it has credentials already, and takes others through its debug port only',
  'its flash does not hold what was written',
  'its key cannot sign',
];

/** Status, detail, data. */
export function parseAnswer(payload: Uint8Array): Answer | undefined {
  const [status, detail] = payload;
  if (status === undefined || detail === undefined || status >= reasons.length) return undefined;
  const reason = reasons[status];
  if (reason === undefined) return { kind: 'data', data: Buffer.from(payload.subarray(2)) };
  return { kind: 'refused', reason: detail === 0 ? reason : `${reason} (rule ${detail})` };
}

/** Id, public key, verdict of the credentials page, its generation, SHA-256 of the certificate. */
export function parseIdentity(data: Buffer): SelfTestIdentity | undefined {
  if (data.length !== 8 + pointLength + 1 + 4 + 32) return undefined;
  const id = parseId(data.toString('latin1', 0, 8));
  const publicKey = data.subarray(8, 73);
  if (id === undefined || importPublicKey(publicKey) === undefined) return undefined;
  const kind = credentialsKind(data.readUInt8(73));
  if (kind !== 'sound') return { id, publicKey, credentials: { kind } };
  const certificateSha256 = data.toString('hex', 78, 110);
  return { id, publicKey, credentials: { kind, generation: data.readUInt32LE(74), certificateSha256 } };
}

/** r‖s (IEEE P1363). */
export function parseSignature(data: Buffer): Buffer | undefined {
  return data.length === 64 ? data : undefined;
}

export function parseNothing(data: Buffer): Buffer | undefined {
  return data.length === 0 ? data : undefined;
}

export function parseJoinReport(data: Buffer): JoinReport | undefined {
  if (data.length !== 10) return undefined;
  const step = joinSteps[data.readUInt8(0)];
  return step && { step, error: data.readInt32LE(1), flags: data.readUInt32LE(5), alert: data.readUInt8(9) };
}

function parseId(text: string): DeviceId | undefined {
  try {
    return parseDeviceId(text);
  } catch {
    return undefined;
  }
}

/** The first three verdicts of fixtures/firmware/factory-data.h; any other is damage. */
function credentialsKind(verdict: number): SelfTestIdentity['credentials']['kind'] {
  return (['sound', 'blank', 'interrupted'] as const)[verdict] ?? 'damaged';
}
