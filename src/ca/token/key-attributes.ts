import type { Handle } from 'pkcs11js';
import { LinesideError } from '../../errors.ts';
import { onToken, type TokenSession } from './session.ts';

/**
 * What a CA key in a token is: made there, never out of it, and good for signatures alone. Asked for when it is made,
 * and read back then and each time it is used: a token may ignore what it was asked for, and an administrator
 * may have put another key in its place.
 */
export const asked = {
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_SIGN: true,
  CKA_SIGN_RECOVER: false,
  CKA_DECRYPT: false,
  CKA_UNWRAP: false,
  CKA_DERIVE: false,
  CKA_MODIFIABLE: false,
} as const;

/** What only the token can say of a key (PKCS#11 2.40, 4.9). */
const told = { CKA_LOCAL: true, CKA_ALWAYS_SENSITIVE: true, CKA_NEVER_EXTRACTABLE: true } as const;

/** @throws LinesideError `token-key-unsafe` */
export function mustBeSafe({ library, module, handle }: TokenSession, key: Handle): void {
  for (const [name, expected] of Object.entries({ ...asked, ...told })) {
    const type = library[name as keyof typeof asked];
    const [attribute] = onToken(() =>
      module.C_GetAttributeValue(handle, key, [{ type, value: Buffer.alloc(1) }]),
    );
    const found = attribute?.value[0] === 1;
    if (found !== expected)
      throw new LinesideError('token-key-unsafe', {
        attribute: name,
        found: String(found),
        expected: String(expected),
      });
  }
}
