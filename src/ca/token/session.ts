import type { Handle, PKCS11, Template } from 'pkcs11js';
import { LinesideError, systemWords } from '../../errors.ts';

type Library = typeof import('pkcs11js');

/** Which token: a PKCS#11 library and the label of a token it has. Slot numbers change from one day to the next. */
export interface TokenPlace {
  readonly module: string;
  readonly token: string;
}

/** A token that somebody is logged in to; one process has one at a time. */
export interface TokenSession {
  readonly library: Library;
  readonly module: PKCS11;
  readonly handle: Handle;
  close(): void;
}

/**
 * @param access whether keys are to be made or only used
 * @throws LinesideError `token-module`, `token-missing`, `wrong-pin`, `token-failed`
 */
export async function openToken(
  place: TokenPlace,
  pin: Uint8Array,
  access: 'make-keys' | 'use-keys',
): Promise<TokenSession> {
  const { default: library } = await import('pkcs11js');
  const module = load(library, place);
  const close = () => {
    module.C_Finalize(); // ends all sessions of this process, and with them the login
    module.close();
  };
  try {
    const slot = onToken(() => findSlot(module, place));
    const write = access === 'make-keys' ? library.CKF_RW_SESSION : 0;
    const handle = onToken(() => module.C_OpenSession(slot, library.CKF_SERIAL_SESSION | write));
    logIn(library, module, handle, pin, place);
    return { library, module, handle, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** What the token answers when it will not do something. @throws LinesideError `token-failed` */
export function onToken<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof LinesideError) throw cause;
    throw new LinesideError('token-failed', { reason: systemWords(cause) }, { cause });
  }
}

/** Handles of the objects with these attributes. */
export function findObjects({ module, handle }: TokenSession, template: Template): Handle[] {
  return onToken(() => {
    module.C_FindObjectsInit(handle, template);
    const found = module.C_FindObjects(handle, 16);
    module.C_FindObjectsFinal(handle);
    return found;
  });
}

function load(library: Library, { module: path }: TokenPlace): PKCS11 {
  const module = new library.PKCS11();
  try {
    module.load(path);
    module.C_Initialize();
    return module;
  } catch (cause) {
    throw new LinesideError('token-module', { module: path, reason: systemWords(cause) }, { cause });
  }
}

function findSlot(module: PKCS11, { token, module: path }: TokenPlace): Handle {
  const slots = module
    .C_GetSlotList(true)
    .filter((slot) => module.C_GetTokenInfo(slot).label.replace(/[\0 ]+$/, '') === token);
  const [slot, ...others] = slots;
  if (!slot || others.length > 0)
    throw new LinesideError('token-missing', { token, module: path, count: slots.length });
  return slot;
}

/**
 * The binding takes the PIN as a string, which cannot be wiped; it goes with the process. A wrong one is a wrong PIN
 * whatever the token calls it: length and characters are hints to whoever guesses.
 */
function logIn(
  library: Library,
  module: PKCS11,
  handle: Handle,
  pin: Uint8Array,
  { token }: TokenPlace,
): void {
  const wrong = [library.CKR_PIN_INCORRECT, library.CKR_PIN_LEN_RANGE, library.CKR_PIN_INVALID];
  try {
    module.C_Login(handle, library.CKU_USER, Buffer.from(pin).toString('utf8'));
  } catch (cause) {
    const code = cause instanceof library.Pkcs11Error ? cause.code : 0;
    if (wrong.includes(code)) throw new LinesideError('wrong-pin', { token }, { cause });
    throw new LinesideError('token-failed', { reason: systemWords(cause) }, { cause });
  }
}
