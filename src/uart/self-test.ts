import { randomBytes, verify } from 'node:crypto';
import type { DeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { importPublicKey } from '../public-key.ts';
import {
  type JoinReport,
  parseAnswer,
  parseIdentity,
  parseJoinReport,
  parseNothing,
  parseSignature,
  type SelfTestIdentity,
} from './answers.ts';
import type { DeviceLine, Question } from './device-line.ts';

const questions = {
  identity: { type: 1, doing: 'say who it is', patienceMs: 1000, attempts: 3 },
  // A P-256 signature takes a Cortex-M4 of 64 MHz 0.3 s.
  prove: { type: 2, doing: 'prove its key', patienceMs: 3000, attempts: 3 },
  // Erasing a sector of 128 KiB takes an STM32F405 up to 4 s (DS8626, flash programming). Again the same page is the same.
  install: { type: 3, doing: 'take its certificate', patienceMs: 8000, attempts: 2 },
  // Handshake, CONNACK, SUBACK and PUBACK may take 10 s each.
  join: { type: 4, doing: 'join its broker', patienceMs: 60_000, attempts: 1 },
} as const satisfies Record<string, Question>;

const nothing = new Uint8Array();
const nonceLength = 32;

/** @throws LinesideError `uart-silent`, `uart-unreachable`, `self-test-refused`, `self-test-nonsense` */
export function identity(line: DeviceLine): Promise<SelfTestIdentity> {
  return ask(line, questions.identity, nothing, parseIdentity);
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
  const signature = await ask(line, questions.prove, nonce, parseSignature);
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
  await ask(line, questions.install, page, parseNothing);
}

/** Tells the device to come online now. @throws LinesideError those of `identity` */
export function joinBroker(line: DeviceLine): Promise<JoinReport> {
  return ask(line, questions.join, nothing, parseJoinReport);
}

/** What a device signs: nothing that TLS or a CSR would have it sign begins like this. */
function proofMessage(id: DeviceId, nonce: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`lineside self-test v1\0${id}`, 'latin1'), nonce]);
}

async function ask<Data>(
  line: DeviceLine,
  question: Question,
  payload: Uint8Array,
  parse: (data: Buffer) => Data | undefined,
): Promise<Data> {
  const answer = parseAnswer(await line.ask(question, payload));
  const asked = { path: line.path, doing: question.doing };
  if (answer?.kind === 'refused')
    throw new LinesideError('self-test-refused', { ...asked, reason: answer.reason });
  const data = answer && parse(answer.data);
  if (data === undefined) throw new LinesideError('self-test-nonsense', asked);
  return data;
}
