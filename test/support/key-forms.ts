/** One way 32 secret bytes can be written down. */
export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
  /** So many bytes in a row are as bad as all of them: 64 bits of the secret, or close to it. */
  readonly window: number;
}

const binaryWindow = 8;
const textWindow = 16;

/** Every form a private key has been seen in, or could be in, in a process that handles it carelessly. */
export function keyForms(key: Uint8Array): Form[] {
  const raw = Buffer.from(key);
  const binary = (name: string, bytes: Buffer) => ({ name, bytes, window: binaryWindow });
  const text = (name: string, value: string) => ({ name, bytes: Buffer.from(value), window: textWindow });
  return [
    binary('raw', raw),
    binary('byte-reversed', Buffer.from(raw.toReversed())), // a BIGNUM's limbs in memory
    binary('words swapped', Buffer.from(raw).swap32()),
    ...bigWords(raw).map((word, index) => binary(`word as a number of V8, ${index}`, doubleOf(word))),
    text('hex', raw.toString('hex')),
    text('HEX', raw.toString('hex').toUpperCase()),
    { ...text('UTF-16 hex', raw.toString('hex')), bytes: Buffer.from(raw.toString('hex'), 'utf16le') },
    text('hex with spaces', [...raw].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')),
    text('decimal bytes', raw.join(',')), // JSON of a Buffer
    text('decimal', BigInt(`0x${raw.toString('hex')}`).toString()),
    ...[0, 1, 2].map((before) => text(`base64, ${before} bytes before`, base64Within(raw, before, 'base64'))),
    ...[0, 1, 2].map((before) =>
      text(`base64url, ${before} bytes before`, base64Within(raw, before, 'base64url')),
    ),
    text(
      'words 0x%x',
      hexWords(raw, (word) => `0x${word.toString(16)}`),
    ), // as Tcl and our script have them
    text(
      'words 0x%08x',
      hexWords(raw, (word) => `0x${word.toString(16).padStart(8, '0')}`),
    ),
    text(
      'words %08x',
      hexWords(raw, (word) => word.toString(16).padStart(8, '0')),
    ),
    text(
      'words %u',
      hexWords(raw, (word) => word.toString()),
    ),
  ];
}

/** The key as the words of flash, the way the debug port carries them. */
export function wordsOf(key: Uint8Array): Buffer[] {
  const raw = Buffer.from(key);
  return [0, 4, 8, 12, 16, 20, 24, 28].map((at) => raw.subarray(at, at + 4));
}

/** How many of the key's eight words lie in `bytes`, each by itself, as bytes or as hex digits. */
export function scatteredWords(bytes: Buffer, key: Uint8Array): number {
  return wordsOf(key).filter((word) => {
    const digits = word.readUInt32LE().toString(16).padStart(8, '0');
    const swapped = word.toString('hex');
    const texts = [digits, digits.toUpperCase(), swapped, swapped.toUpperCase()];
    return bytes.includes(word) || texts.some((text) => bytes.includes(text));
  }).length;
}

function hexWords(raw: Buffer, format: (word: number) => string): string {
  return wordsOf(raw)
    .map((word) => format(word.readUInt32LE()))
    .join(' ');
}

/** Numbers from 2^31 up do not fit V8's small integers: it keeps them on its heap, where nothing wipes them. */
function bigWords(raw: Buffer): number[] {
  const both = wordsOf(raw).flatMap((word) => [word.readUInt32LE(), word.readUInt32BE()]);
  return both.filter((word) => word >= 2 ** 31);
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** The characters that the key alone decides when so many other bytes come before it, as in a DER structure. */
function base64Within(raw: Buffer, before: number, encoding: 'base64' | 'base64url'): string {
  const from = Math.ceil((before * 8) / 6);
  const to = Math.floor(((before + raw.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(before), raw])
    .toString(encoding)
    .slice(from, to);
}
