import type { KnownValues } from './known-values.ts';
import type { Run } from './residue.ts';

/** Bytes that are written in a text, and where. */
export interface Written {
  readonly at: number;
  readonly form: 'hex' | 'base64' | 'numbers';
  readonly bytes: Buffer;
}

/**
 * Whether a text is too plain to hold 32 bytes in any of the ways below, but for hashes that are known. Most of a
 * registry is leaves of the log, and this is so of each: it spares them the rest.
 */
export function isPlain(bytes: Uint8Array, { from, to }: Run, known: KnownValues): boolean {
  let length = 0;
  let pieces = 0;
  for (let at = from; at <= to; at += 1) {
    const kind = at < to ? (kinds[bytes[at] ?? 0] ?? 0) : 0;
    if (kind === digit) {
      length += 1;
      continue;
    }
    if (kind === separator) pieces += 1;
    if (length >= shortestBase64 && !isKnownHex(bytes, at - length, length, known)) return false;
    length = 0;
  }
  return pieces < leastPieces;
}

const digit = 1;
const separator = 2;
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[\w+/-]/.test(character)) return digit;
  return /[:,\s]/.test(character) ? separator : 0;
});
const shortestBase64 = 43;
/** Between 32 bytes, each written by itself. */
const leastPieces = 31;

const value = Buffer.alloc(32);

function isKnownHex(bytes: Uint8Array, from: number, length: number, known: KnownValues): boolean {
  if (length !== 64) return false;
  for (let at = 0; at < 32; at += 1) {
    const [high, low] = [
      nibbles[bytes[from + 2 * at] ?? 0] ?? 16,
      nibbles[bytes[from + 2 * at + 1] ?? 0] ?? 16,
    ];
    if (high > 15 || low > 15) return false;
    value[at] = high * 16 + low;
  }
  return known.has(value, 0);
}

const nibbles = Uint8Array.from({ length: 256 }, (_, byte) => {
  const place = '0123456789abcdef'.indexOf(String.fromCharCode(byte));
  return place < 0 ? 16 : place;
});

/** 32 bytes and more that a text holds in one of the ways in which programs print bytes. */
export function* writtenIn(text: string, known: KnownValues): Generator<Written> {
  const unknown = text.replace(/[0-9a-f]{64,}/g, (run) => withoutKnown(run, known));
  yield* inHex(unknown);
  yield* inBase64(unknown.replace(hexRun, blank));
  yield* inPieces(unknown);
}

/** A hash that is known stands in the text of every leaf. */
function withoutKnown(run: string, known: KnownValues): string {
  let kept = '';
  for (let at = 0; at < run.length; ) {
    const isKnown = at + 64 <= run.length && known.has(Buffer.from(run.slice(at, at + 64), 'hex'), 0);
    kept += isKnown ? blank(run.slice(at, at + 64)) : run.charAt(at);
    at += isKnown ? 64 : 1;
  }
  return kept;
}

const hexRun = /[0-9a-f]{64,}|[0-9A-F]{64,}/g;

function blank(run: string): string {
  return '.'.repeat(run.length);
}

/** A digit that stands before it by chance shifts all that follows. */
function* inHex(text: string): Generator<Written> {
  for (const { 0: run, index: at } of text.matchAll(hexRun))
    for (const from of [0, 1]) yield { at, form: 'hex', bytes: Buffer.from(run.slice(from), 'hex') };
}

/** Also over lines, as in PEM, and base64url, as in a JWK; here one of four letters may be the first. */
function* inBase64(text: string): Generator<Written> {
  for (const { 0: run, index: at } of text.matchAll(/[\w+/-]{16,}={0,2}(?:\r?\n[\w+/-]+={0,2})*/g)) {
    const digits = run.replace(/\s/g, '');
    for (let from = 0; from < 4 && digits.length - from >= 43; from += 1)
      yield { at, form: 'base64', bytes: Buffer.from(digits.slice(from), 'base64') };
  }
}

/** Byte for byte: hex as openssl prints it, or as a program has it, and the JSON of a Buffer. */
function* inPieces(text: string): Generator<Written> {
  for (const { 0: run, index: at } of text.matchAll(
    /(?:(?:0x)?[0-9A-Fa-f]{2}[:,\s]\s*){31,}(?:0x)?[0-9A-Fa-f]{2}/g,
  ))
    yield { at, form: 'hex', bytes: Buffer.from(run.replace(/0x|[:,\s]/g, ''), 'hex') };
  for (const { 0: run, index: at } of text.matchAll(/(?:\d{1,3},\s*){31,}\d{1,3}/g))
    yield { at, form: 'numbers', bytes: Buffer.from(run.split(',').map(Number)) };
}
