import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { Template } from 'pkcs11js';
import { LinesideError } from '../../errors.ts';
import { newExchangeKey } from '../exchange-key.ts';
import { findObjects, onToken, type TokenSession } from './session.ts';
import type { TokenKeyName } from './token-keys.ts';

/*
 * The key for batches of a CA in a token. Few tokens sign with Ed25519, so the key lies in the token as a private data
 * object (PKCS#11 2.40, 4.5) and comes out when somebody is logged in: it is lost with the token and guarded by its
 * PIN, like the CA keys, but unlike them it can be copied by who knows the PIN.
 */

/** Makes the key and stores it. @throws LinesideError `token-failed` */
export function storeExchangeKey(session: TokenSession, name: TokenKeyName): KeyObject {
  const { library, module, handle } = session;
  const pkcs8 = newExchangeKey();
  const object: Template = [
    ...place(session, name),
    { type: library.CKA_TOKEN, value: true },
    { type: library.CKA_PRIVATE, value: true },
    { type: library.CKA_MODIFIABLE, value: false },
    { type: library.CKA_VALUE, value: pkcs8 },
  ];
  onToken(() => module.C_CreateObject(handle, object));
  pkcs8.fill(0);
  return loadExchangeKey(session, name);
}

/** @throws LinesideError `token-key-missing`, `token-failed` */
export function loadExchangeKey(session: TokenSession, name: TokenKeyName): KeyObject {
  const { library, module, handle } = session;
  const [object, ...others] = findObjects(session, place(session, name));
  if (!object || others.length > 0) {
    const count = others.length + (object ? 1 : 0);
    throw new LinesideError('token-key-missing', { label: name.label, count });
  }
  const ask = [{ type: library.CKA_VALUE, value: Buffer.alloc(longest) }];
  const [attribute] = onToken(() => module.C_GetAttributeValue(handle, object, ask));
  const pkcs8 = Buffer.from(attribute?.value ?? []);
  try {
    return onToken(() => createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  } finally {
    pkcs8.fill(0);
    attribute?.value.fill(0);
  }
}

/** PKCS#8 of Ed25519 has 48 bytes (RFC 8410 7). */
const longest = 64;

/** Data objects have no CKA_ID, so the application names the CA. */
function place({ library }: TokenSession, { id, label }: TokenKeyName): Template {
  return [
    { type: library.CKA_CLASS, value: library.CKO_DATA },
    { type: library.CKA_APPLICATION, value: `lineside ${id}` },
    { type: library.CKA_LABEL, value: label },
  ];
}
