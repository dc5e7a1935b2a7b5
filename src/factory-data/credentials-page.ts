import { containerLength, readContainer, type Tlv, writeContainer } from './container.ts';
import { FactoryDataError } from './refusal.ts';
import { all, atMostOne, one, publicKey } from './values.ts';

const generationType = 16;
const certificateType = 17;
const intermediateType = 18;
const trustAnchorType = 19;
const brokerNameType = 20;
const firmwareKeyType = 21;

/** All that a device is told about others, and they about it. Nothing in it is secret. */
export interface CredentialsPage {
  /** Counts the rewrites of the page, 0 to 2^32 - 1. */
  readonly generation: number;
  /** The device certificate and what leads from it to the CA, each one DER certificate. */
  readonly certificate: Uint8Array;
  readonly intermediates: readonly Uint8Array[];
  /** DER certificates of the CAs that may vouch for a broker, at least one. */
  readonly trustAnchors: readonly Uint8Array[];
  /** Names that the broker's certificate may carry, printable ASCII, 1 to 253 characters (RFC 1035 3.1). */
  readonly brokerNames: readonly string[];
  /** The key that firmware updates are verified with, 65 bytes 04‖X‖Y. */
  readonly firmwareKey: Uint8Array | undefined;
}

/** The page as it goes into flash (design section 3). @throws FactoryDataError `value`, `missing`, `too-long` */
export function encodeCredentialsPage(credentials: CredentialsPage): Uint8Array {
  const tlvs = tlvsOf(credentials);
  credentialsOf(tlvs);
  const page = new Uint8Array(containerLength(tlvs));
  writeContainer(page, tlvs);
  return page;
}

/**
 * Reads a page as it lies in flash, with or without the blank bytes that follow it. The certificates are
 * handed on as they are: whether they hold is for X.509 to say. Values are views into `page`.
 * @throws FactoryDataError
 */
export function decodeCredentialsPage(page: Uint8Array): CredentialsPage {
  return credentialsOf(readContainer(page));
}

function tlvsOf(credentials: CredentialsPage): Tlv[] {
  const { certificate, intermediates, trustAnchors, brokerNames, firmwareKey } = credentials;
  const names = brokerNames.map((name) => new TextEncoder().encode(name));
  return [
    { type: generationType, value: generationBytes(credentials.generation) },
    { type: certificateType, value: certificate },
    ...intermediates.map((value) => ({ type: intermediateType, value })),
    ...trustAnchors.map((value) => ({ type: trustAnchorType, value })),
    ...names.map((value) => ({ type: brokerNameType, value })),
    ...(firmwareKey === undefined ? [] : [{ type: firmwareKeyType, value: firmwareKey }]),
  ];
}

function credentialsOf(tlvs: readonly Tlv[]): CredentialsPage {
  const trustAnchors = all(tlvs, trustAnchorType).map(der);
  if (trustAnchors.length === 0) throw new FactoryDataError('missing', `type ${trustAnchorType}`);
  const firmwareKey = atMostOne(tlvs, firmwareKeyType);
  return {
    generation: readGeneration(one(tlvs, generationType)),
    certificate: der(one(tlvs, certificateType)),
    intermediates: all(tlvs, intermediateType).map(der),
    trustAnchors,
    brokerNames: all(tlvs, brokerNameType).map(readBrokerName),
    firmwareKey: firmwareKey && publicKey(firmwareKey),
  };
}

function generationBytes(generation: number): Uint8Array {
  if (!Number.isInteger(generation) || generation < 0 || generation > 0xffffffff)
    throw new FactoryDataError('value', 'the generation is not an unsigned 32 bit number');
  return Uint8Array.of(generation, generation >>> 8, generation >>> 16, generation >>> 24);
}

function readGeneration(value: Uint8Array): number {
  if (value.length !== 4) throw new FactoryDataError('value', 'the generation is not 4 bytes');
  return Buffer.from(value).readUInt32LE();
}

function der(value: Uint8Array): Uint8Array {
  if (value.length === 0) throw new FactoryDataError('value', 'a certificate is empty');
  return value;
}

function readBrokerName(value: Uint8Array): string {
  const name = Buffer.from(value).toString('latin1');
  if (!/^[!-~]{1,253}$/.test(name))
    throw new FactoryDataError('value', 'a broker name is not 1 to 253 printable ASCII characters');
  return name;
}
