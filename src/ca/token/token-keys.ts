import { createHash, randomBytes, verify } from 'node:crypto';
import type { Handle, Template } from 'pkcs11js';
import { element, tag } from '../../der.ts';
import { LinesideError } from '../../errors.ts';
import { importPublicKey, pointLength } from '../../public-key.ts';
import type { Signer } from '../signer.ts';
import { asked, mustBeSafe } from './key-attributes.ts';
import { findObjects, onToken, type TokenSession } from './session.ts';

/** How a key is found again: handles are good for one session only. */
export interface TokenKeyName {
  /** Of all keys of one CA, hex. */
  readonly id: string;
  readonly label: string;
}

const prime256v1 = Buffer.from('06082a8648ce3d030107', 'hex');

/** Makes a P-256 key inside the token. @throws LinesideError `token-failed`, `token-key-unsafe` */
export function makeTokenKey(session: TokenSession, name: TokenKeyName): Signer {
  const { library, module, handle } = session;
  const own: Template = [...named(session, name), { type: library.CKA_TOKEN, value: true }];
  const publicKey = [
    ...own,
    { type: library.CKA_EC_PARAMS, value: prime256v1 },
    { type: library.CKA_VERIFY, value: true },
  ];
  const attributes = Object.entries(asked).map(([attribute, value]) => ({
    type: library[attribute as keyof typeof asked],
    value,
  }));
  const privateKey = [...own, { type: library.CKA_PRIVATE, value: true }, ...attributes];
  const mechanism = { mechanism: library.CKM_EC_KEY_PAIR_GEN };
  onToken(() => module.C_GenerateKeyPair(handle, mechanism, publicKey, privateKey));
  return findTokenKey(session, name);
}

/** @throws LinesideError `token-key-missing`, `token-key-unsafe`, `token-failed` */
export function findTokenKey(session: TokenSession, name: TokenKeyName): Signer {
  const { library } = session;
  const privateKey = theOne(session, name, library.CKO_PRIVATE_KEY);
  mustBeSafe(session, privateKey);
  const publicKey = readPoint(session, theOne(session, name, library.CKO_PUBLIC_KEY));
  const signer = { publicKey, sign: async (message: Uint8Array) => sign(session, privateKey, message) };
  mustBelongTogether(session, privateKey, publicKey);
  return signer;
}

/** Takes back keys that were made for a CA that then was not. */
export function destroyTokenKeys(session: TokenSession, id: string): void {
  const { library, module, handle } = session;
  const all = [
    ...findObjects(session, [{ type: library.CKA_ID, value: Buffer.from(id, 'hex') }]),
    ...findObjects(session, [{ type: library.CKA_APPLICATION, value: `lineside ${id}` }]),
  ];
  for (const object of all) onToken(() => module.C_DestroyObject(handle, object));
}

function named({ library }: TokenSession, { id, label }: TokenKeyName): Template {
  return [
    { type: library.CKA_ID, value: Buffer.from(id, 'hex') },
    { type: library.CKA_LABEL, value: label },
  ];
}

function theOne(session: TokenSession, name: TokenKeyName, kind: number): Handle {
  const template = [...named(session, name), { type: session.library.CKA_CLASS, value: kind }];
  const [object, ...others] = findObjects(session, template);
  if (object && others.length === 0) return object;
  throw new LinesideError('token-key-missing', {
    label: name.label,
    count: others.length + (object ? 1 : 0),
  });
}

/** CKA_EC_POINT is an OCTET STRING of the point; some tokens leave out its header. */
function readPoint({ library, module, handle }: TokenSession, key: Handle): Uint8Array {
  const ask = [{ type: library.CKA_EC_POINT, value: Buffer.alloc(pointLength + 2) }];
  const [attribute] = onToken(() => module.C_GetAttributeValue(handle, key, ask));
  const bytes = Buffer.from(attribute?.value ?? []);
  return new Uint8Array(bytes.subarray(bytes.length - pointLength));
}

/** The public object could be that of another key. */
function mustBelongTogether(session: TokenSession, privateKey: Handle, point: Uint8Array): void {
  const message = randomBytes(32);
  const key = importPublicKey(point);
  if (key && verify('sha256', message, key, sign(session, privateKey, message))) return;
  throw new LinesideError('token-failed', { reason: 'a signature does not fit the public key beside it' });
}

/** CKM_ECDSA over the digest: that with the hash in it is not had by all tokens. */
function sign({ library, module, handle }: TokenSession, key: Handle, message: Uint8Array): Uint8Array {
  const digest = createHash('sha256').update(message).digest();
  const values = onToken(() => {
    module.C_SignInit(handle, { mechanism: library.CKM_ECDSA }, key);
    return module.C_Sign(handle, digest, Buffer.alloc(64));
  });
  return element(tag.sequence, integer(values.subarray(0, 32)), integer(values.subarray(32)));
}

/** Without leading zeros, and with one where the top bit would make it negative (X.690 8.3). */
function integer(value: Buffer): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0);
  const short = value.subarray(first);
  const positive = (short[0] ?? 0) < 0x80 ? short : Buffer.concat([Buffer.of(0), short]);
  return element(tag.integer, positive);
}
