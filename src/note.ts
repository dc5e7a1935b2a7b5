import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

/*
 * Signed notes (https://c2sp.org/signed-note): text that one or more keys have signed, readable with `less` and
 * by every implementation of the transparency world. Of its algorithms the one that Node has: Ed25519.
 */

/** How the signatures of one type are checked; the type is part of what a key is known by. */
export interface SignatureType {
  /** What stands for it in key hashes and verifier keys ("Signature types" of the specification). */
  readonly byte: number;
  readonly holds: (text: string, signature: Uint8Array, publicKey: KeyObject) => boolean;
}

/** The plain type: the signature of the text. */
export const ed25519: SignatureType = {
  byte: 0x01,
  holds: (text, signature, publicKey) => verify(null, Buffer.from(text), publicKey, signature),
};

/** A key that signatures are checked with: what a machine is known by to those who trust it. */
export interface Verifier {
  readonly name: string;
  readonly type: SignatureType;
  /** 8 lower-case hex digits. Together with the name it says which key, and proves nothing. */
  readonly hash: string;
  readonly publicKey: KeyObject;
  /** `name+hash+key`, the form in which the key is carried and kept. */
  readonly line: string;
}

/** A key that signs, and what its signatures are checked with. */
export interface Signer {
  readonly verifier: Verifier;
  readonly privateKey: KeyObject;
}

export type NoteRule =
  | 'name'
  | 'verifier-key'
  | 'private-key'
  /** Not of the one form a note has. */
  | 'malformed'
  /** Nobody known signed it. */
  | 'unknown-signer'
  /** A known key is named, and the signature is not its own: the text was changed, or the signature forged. */
  | 'signature';

export class NoteError extends Error {
  readonly rule: NoteRule;

  constructor(rule: NoteRule, what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'NoteError';
    this.rule = rule;
  }
}

const hashLength = 4;
const emDash = '—';
/** "MUST accept at least up to 16 signatures"; more only costs time. */
const maximumSignatures = 16;

/** @throws NoteError `name` */
export function makeSigner(name: string): Signer {
  return signerOf(name, generateKeyPairSync('ed25519').privateKey);
}

/** @throws NoteError `private-key`, `name` */
export function signerOf(name: string, privateKey: KeyObject): Signer {
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new NoteError('private-key', 'it is not an Ed25519 key');
  return { verifier: verifierOf(name, ed25519, createPublicKey(privateKey)), privateKey };
}

/** @throws NoteError `private-key`, `name` */
export function readSigner(name: string, pem: string): Signer {
  const privateKey = importPrivateKey(pem);
  if (privateKey === undefined) throw new NoteError('private-key', 'it is not an Ed25519 key in PKCS#8 PEM');
  return signerOf(name, privateKey);
}

/** PKCS#8 PEM. Whoever has it can sign in this name. */
export function formatPrivateKey({ privateKey }: Signer): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Reads `name+hash+key`, exactly that. @throws NoteError `verifier-key` */
export function readVerifier(line: string): Verifier {
  const [, name = '', encoded = ''] = /^([^+]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/]{44})$/.exec(line) ?? [];
  const key = Buffer.from(encoded, 'base64');
  if (!isName(name) || key.length !== 33 || key[0] !== ed25519.byte)
    throw new NoteError('verifier-key', 'it is not name+hash+key of an Ed25519 key');
  const verifier = verifierOf(name, ed25519, importPublicKey(key.subarray(1)));
  if (verifier.line !== line) throw new NoteError('verifier-key', 'its hash is not that of its key');
  return verifier;
}

/**
 * The same key under another name or for another type of signature. Whoever knows the one can derive the other; what
 * keeps the uses of a key apart is what is signed: its first line, or the prefix of the type.
 * @throws NoteError `name`
 */
export function verifierAs({ publicKey }: Verifier, name: string, type: SignatureType): Verifier {
  return verifierOf(name, type, publicKey);
}

/**
 * What two people read to each other to be sure that they mean the same key: the first 128 bits of the SHA-256 of
 * its line, newline included, so that `sha256sum` of the file that carries it begins with the same digits.
 */
export function fingerprint({ line }: Verifier): string {
  const digits = createHash('sha256').update(`${line}\n`).digest('hex').slice(0, 32);
  return digits.replace(/.{4}(?=.)/g, '$& ');
}

/** @throws NoteError `malformed` for what cannot be the text of a note */
export function signNote(text: string, { verifier, privateKey }: Signer): string {
  if (!isText(text)) throw new NoteError('malformed', 'it is not the text of a note');
  return addSignature(`${text}\n`, verifier, sign(null, Buffer.from(text), privateKey));
}

/** The note with one signature more, after those it has. */
export function addSignature(note: string, { name, hash }: Verifier, signature: Uint8Array): string {
  const signed = Buffer.concat([Buffer.from(hash, 'hex'), signature]).toString('base64');
  return `${note}${emDash} ${name} ${signed}\n`;
}

/** A note with the signatures on it that are of known keys, all of which hold. */
export interface OpenedNote {
  readonly text: string;
  readonly held: readonly { readonly verifier: Verifier; readonly signature: Uint8Array }[];
}

/**
 * Opens a note that at least one of the known keys has signed. Signatures of others are passed over; one in the name
 * of a known key that does not hold refuses the note, whatever else is on it.
 * @throws NoteError `malformed`, `unknown-signer`, `signature`
 */
export function readNote(note: Uint8Array, known: readonly Verifier[]): OpenedNote {
  const { text, signatures } = parse(note);
  const held = signatures.flatMap(({ name, bytes }) => {
    const hash = bytes.toString('hex', 0, hashLength);
    const verifier = known.find((candidate) => candidate.name === name && candidate.hash === hash);
    if (verifier === undefined) return [];
    const signature = bytes.subarray(hashLength);
    if (!verifier.type.holds(text, signature, verifier.publicKey))
      throw new NoteError('signature', `the signature of ${name}+${hash} does not hold`);
    return [{ verifier, signature }];
  });
  if (held.length === 0) throw new NoteError('unknown-signer', 'nobody who is trusted has signed it');
  return { text, held };
}

/** The text of such a note. @throws NoteError as `readNote` */
export function openNote(note: Uint8Array, known: readonly Verifier[]): string {
  return readNote(note, known).text;
}

/** What a note says, believed by nobody yet: to learn whose key to open it with. @throws NoteError `malformed` */
export function noteText(note: Uint8Array): string {
  return parse(note).text;
}

interface Signature {
  readonly name: string;
  readonly bytes: Buffer;
}

function parse(note: Uint8Array): { text: string; signatures: Signature[] } {
  const whole = decodeUtf8(note);
  const split = whole.lastIndexOf('\n\n') + 1;
  const [text, block] = [whole.slice(0, split), whole.slice(split + 1)];
  if (!isText(text) || !isText(block)) throw malformed();
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > maximumSignatures) throw malformed();
  return { text, signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = Buffer.from(encoded, 'base64');
  const exact = bytes.length > hashLength && bytes.toString('base64') === encoded; // one form for one signature
  if (dash !== emDash || !isName(name) || !exact || rest.length > 0) throw malformed();
  return { name, bytes };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(cause);
  }
}

/** Lines, each ended by a newline, with no other character below U+0020 and no half of a surrogate pair. */
function isText(text: string): boolean {
  return /^[\n\u{20}-\u{D7FF}\u{E000}-\u{10FFFF}]*\n$/u.test(text);
}

function isName(name: string): boolean {
  return /^[^\p{White_Space}\p{Cc}+]+$/u.test(name);
}

/** "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]" */
function verifierOf(name: string, type: SignatureType, publicKey: KeyObject): Verifier {
  if (!isName(name)) throw new NoteError('name', 'a key name has no spaces and no "+"');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = Buffer.concat([Buffer.of(type.byte), raw]);
  const digest = createHash('sha256').update(`${name}\n`).update(key).digest('hex');
  const hash = digest.slice(0, 2 * hashLength);
  return { name, type, hash, publicKey, line: `${name}+${hash}+${key.toString('base64')}` };
}

function importPublicKey(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function importPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem', type: 'pkcs8' });
  } catch {
    return undefined; // what OpenSSL says of it could repeat a part
  }
}

function malformed(cause?: unknown): NoteError {
  return new NoteError('malformed', 'it is not a signed note', { cause });
}
