/** A place where a private key is written in a form that gives it away. */
export interface Mark {
  /** Of the first byte of the key itself, or of what follows the mark. */
  readonly at: number;
  readonly form: string;
  /** Of a key on a curve of 256 bits: its 32 bytes. */
  readonly scalar: Uint8Array | undefined;
}

interface Form {
  readonly form: string;
  readonly bytes: Buffer;
  /** Whether what is before makes it one: a few bytes alone also come about by chance. */
  readonly follows: (bytes: Buffer, at: number) => boolean;
  readonly scalar: boolean;
}

const inSequence = (bytes: Buffer, at: number) => bytes[at - 2] === 0x30 && (bytes[at - 1] ?? 0) < 0x80;
const inLongSequence = (bytes: Buffer, at: number) => bytes[at - 3] === 0x30 && bytes[at - 2] === 0x81;
const inVeryLongSequence = (bytes: Buffer, at: number) => bytes[at - 4] === 0x30 && bytes[at - 3] === 0x82;
const inBeginning = (bytes: Buffer, at: number) =>
  /-----BEGIN [A-Z0-9 ]*$/.test(bytes.toString('latin1', Math.max(0, at - 40), at));

const hex = (bytes: string) => Buffer.from(bytes, 'hex');

/** ECPrivateKey (RFC 5915, also inside PKCS#8) by the length of its key, RFC 8410, RFC 8017, and RFC 7468 with its kin. */
const forms: readonly Form[] = [
  { form: 'an EC key in DER', bytes: hex('0201010420'), follows: inSequence, scalar: true },
  { form: 'an EC key in DER', bytes: hex('0201010430'), follows: inLongSequence, scalar: false },
  { form: 'an EC key in DER', bytes: hex('0201010442'), follows: inLongSequence, scalar: false },
  { form: 'an Ed25519 key in DER', bytes: hex('06032b657004220420'), follows: () => true, scalar: false },
  { form: 'an X25519 key in DER', bytes: hex('06032b656e04220420'), follows: () => true, scalar: false },
  { form: 'an RSA key in DER', bytes: hex('0201000282'), follows: inVeryLongSequence, scalar: false },
  { form: 'a key in PEM', bytes: Buffer.from('PRIVATE KEY-----'), follows: inBeginning, scalar: false },
  { form: 'a key of PGP', bytes: Buffer.from('PRIVATE KEY BLOCK-----'), follows: inBeginning, scalar: false },
];

export function* marksIn(bytes: Buffer): Generator<Mark> {
  for (const { form, bytes: mark, follows, scalar } of forms)
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      const start = at + mark.length;
      if (!follows(bytes, at)) continue;
      yield { at: start, form, scalar: scalar ? bytes.subarray(start, start + 32) : undefined };
    }
}
