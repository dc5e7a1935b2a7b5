import type { webcrypto } from 'node:crypto';
import { Crypto } from '@peculiar/webcrypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { CryptoKey as EngineKey, EcdsaProvider } from 'webcrypto-core';
import type { DeviceId } from '../device.ts';
import { subjectPublicKeyInfo } from '../public-key.ts';

/** ECDSA with SHA-256 over a message, as r‖s, 64 bytes. The private key stays with whoever made this. */
export type Sign = (message: Uint8Array) => Uint8Array;

/** id-at-commonName and id-at-serialNumber (RFC 5280 appendix A.1). */
const commonName = '2.5.4.3';
const serialNumber = '2.5.4.5';

/**
 * PKCS#10 DER (RFC 2986) with subject `CN=<id>, serialNumber=<id>`, both PrintableString, no attributes,
 * ecdsa-with-SHA256.
 */
export async function createCsr(id: DeviceId, publicKey: Uint8Array, sign: Sign): Promise<Uint8Array> {
  const request = new pkijs.CertificationRequest({ version: 0 });
  request.subject = subject(id);
  request.subjectPublicKeyInfo = pkijs.PublicKeyInfo.fromBER(subjectPublicKeyInfo(publicKey));
  request.attributes = []; // RFC 2986 4.1: the field is there even when empty
  const { engine, key } = engineFor(sign);
  await request.sign(key, 'SHA-256', engine);
  return new Uint8Array(request.toSchema().toBER());
}

/** Handed to pkijs as DER: from its own fields it would make one RDN of two values, another name altogether. */
function subject(id: DeviceId): pkijs.RelativeDistinguishedNames {
  const rdns = [commonName, serialNumber].map((type) => {
    const value = new asn1js.PrintableString({ value: id });
    return new asn1js.Set({ value: [new pkijs.AttributeTypeAndValue({ type, value }).toSchema()] });
  });
  return pkijs.RelativeDistinguishedNames.fromBER(new asn1js.Sequence({ value: rdns }).toBER());
}

/**
 * @peculiar/webcrypto with its ECDSA replaced: the stock provider keeps private keys as base64 strings, which can
 * never be wiped. This one holds no key at all; pkijs is given a handle that stands for `sign`.
 */
function engineFor(sign: Sign): { engine: pkijs.CryptoEngine; key: webcrypto.CryptoKey } {
  const crypto = new Crypto();
  crypto.subtle.providers.set(new CallbackEcdsa(sign));
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = EngineKey.create(algorithm, 'private', false, ['sign']);
  return { engine: new pkijs.CryptoEngine({ name: 'lineside', crypto }), key };
}

class CallbackEcdsa extends EcdsaProvider {
  readonly #sign: Sign;

  constructor(sign: Sign) {
    super();
    this.#sign = sign;
  }

  async onSign(
    _algorithm: webcrypto.EcdsaParams,
    _key: webcrypto.CryptoKey,
    data: ArrayBuffer,
  ): Promise<ArrayBuffer> {
    return new Uint8Array(this.#sign(new Uint8Array(data))).buffer;
  }

  onVerify(): Promise<boolean> {
    return refuse();
  }

  onGenerateKey(): Promise<webcrypto.CryptoKeyPair> {
    return refuse();
  }

  onImportKey(): Promise<EngineKey> {
    return refuse();
  }

  onExportKey(): Promise<webcrypto.JsonWebKey | ArrayBuffer> {
    return refuse();
  }
}

function refuse(): never {
  throw new Error('this engine signs certificate requests and does nothing else');
}
