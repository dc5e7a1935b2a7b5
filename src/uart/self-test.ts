import { randomBytes, verify } from 'node:crypto';
import { type DeviceId, parseDeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { importPublicKey, pointLength } from '../public-key.ts';
import type { DeviceLine, Question } from './line.ts';

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

/** How far a device came when it was told to join its broker; `done` is all the way. */
export interface JoinReport {
  readonly step: (typeof joinSteps)[number];
  /** Of mbedTLS if negative, else the broker's reason code (MQTT 5.0 section 2.4). */
  readonly error: number;
  /** MBEDTLS_X509_BADCERT_*: what the device has against the broker's certificate. */
  readonly flags: number;
  /** The broker's alert (RFC 8446 section 6), 0 if there was none. */
  readonly alert: number;
}

const joinSteps = ['done', 'credentials', 'network', 'handshake', 'connack', 'suback', 'puback'] as const;

const questions = {
  identity: { type: 1, doing: 'say who it is', patienceMs: 1000, attempts: 3 },
  // A P-256 signature takes a Cortex-M4 of 64 MHz 0.3 s.
  prove: { type: 2, doing: 'prove its key', patienceMs: 3000, attempts: 3 },
  // Erasing a sector of 128 KiB takes an STM32F405 up to 4 s (DS8626 table 40). Again the same page is the same.
  install: { type: 3, doing: 'take its certificate', patienceMs: 8000, attempts: 2 },
  // Handshake, CONNACK, SUBACK and PUBACK may take 10 s each.
  join: { type: 4, doing: 'join its broker', patienceMs: 60_000, attempts: 1 },
} as const satisfies Record<string, Question>;

const refusals = [
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

/** @throws LinesideError `uart-silent`, `uart-unreachable`, `self-test-refused`, `self-test-nonsense` */
export async function identity(line: DeviceLine): Promise<SelfTestIdentity> {
  const data = await ask(line, questions.identity, new Uint8Array(), identityLength);
  const publicKey = data.subarray(8, 8 + pointLength);
  if (importPublicKey(publicKey) === undefined) throw nonsense(line, questions.identity);
  const id = readId(data, line);
  const certificateSha256 = data.toString('hex', 78, 110);
  const kind = credentialsKind(data.readUInt8(73));
  if (kind !== 'sound') return { id, publicKey, credentials: { kind } };
  return { id, publicKey, credentials: { kind, generation: data.readUInt32LE(74), certificateSha256 } };
}

/**
 * Returns if the device of this CSR is on the line: it signs a nonce it cannot have seen before, with the key of the CSR.
 * @throws LinesideError `key-unproven`, and those of `identity`
 */
export async function proveKey(
  line: DeviceLine,
  { id, publicKey }: { readonly id: DeviceId; readonly publicKey: Uint8Array },
  nonce: Uint8Array = randomBytes(nonceLength),
): Promise<void> {
  const signature = await ask(line, questions.prove, nonce, signatureLength);
  const key = importPublicKey(publicKey);
  const holds =
    key !== undefined &&
    verify('sha256', proofMessage(id, nonce), { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (!holds) throw new LinesideError('key-unproven', { path: line.path, id });
}

/**
 * Gives a device whose debug port is locked the page of `encodeCredentialsPage`. It takes its first one only; the same
 * one again is no error. @throws LinesideError those of `identity`
 */
export async function installCredentials(line: DeviceLine, page: Uint8Array): Promise<void> {
  await ask(line, questions.install, page, 0);
}

/** Tells the device to come online now. @throws LinesideError those of `identity` */
export async function joinBroker(line: DeviceLine): Promise<JoinReport> {
  const data = await ask(line, questions.join, new Uint8Array(), 10);
  const step = joinSteps[data.readUInt8(0)];
  if (step === undefined) throw nonsense(line, questions.join);
  return { step, error: data.readInt32LE(1), flags: data.readUInt32LE(5), alert: data.readUInt8(9) };
}

const nonceLength = 32;
const signatureLength = 64;
/** Id, public key, verdict of the credentials page, its generation, SHA-256 of the certificate. */
const identityLength = 8 + pointLength + 1 + 4 + 32;

/** What a device signs: nothing that TLS or a CSR would have it sign begins like this. */
function proofMessage(id: DeviceId, nonce: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`lineside self-test v1\0${id}`, 'latin1'), nonce]);
}

/** The data of an answer: status, detail, `length` bytes. */
async function ask(
  line: DeviceLine,
  question: Question,
  payload: Uint8Array,
  length: number,
): Promise<Buffer> {
  const answer = Buffer.from(await line.ask(question, payload));
  const [status, detail] = answer;
  if (status === undefined || detail === undefined || status >= refusals.length)
    throw nonsense(line, question);
  const refusal = refusals[status];
  if (refusal !== undefined) {
    const reason = detail === 0 ? refusal : `${refusal} (rule ${detail})`;
    throw new LinesideError('self-test-refused', { path: line.path, doing: question.doing, reason });
  }
  if (answer.length !== 2 + length) throw nonsense(line, question);
  return answer.subarray(2);
}

function nonsense({ path }: DeviceLine, { doing }: Question): LinesideError {
  return new LinesideError('self-test-nonsense', { path, doing });
}

function readId(data: Buffer, line: DeviceLine): DeviceId {
  try {
    return parseDeviceId(data.toString('latin1', 0, 8));
  } catch (cause) {
    throw new LinesideError(
      'self-test-nonsense',
      { path: line.path, doing: questions.identity.doing },
      { cause },
    );
  }
}

/** The first three verdicts of fixtures/firmware/factory-data.h; any other is damage. */
function credentialsKind(verdict: number): SelfTestIdentity['credentials']['kind'] {
  return (['sound', 'blank', 'interrupted'] as const)[verdict] ?? 'damaged';
}
