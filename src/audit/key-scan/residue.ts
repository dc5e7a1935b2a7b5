import type { KnownValues } from './known-values.ts';

/** A run of bytes, `to` not included. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

const scalarLength = 32;
/** In random bytes one run of printable ones in a million is as long. */
const shortestText = 16;
/** A key that lies beside text may begin or end with bytes that look like more of it. */
const margin = 8;
/** Of 32 random bytes 30 are different, and fewer than these in one case of a hundred thousand. */
const leastDifferent = 22;

/**
 * What stands beside public values in certificates and requests, and in no key that is written by itself: the
 * beginnings of object identifiers (ANSI X9.62, X.520 attributes, certificate extensions, key purposes), the version of
 * a certificate and of a request.
 */
const publicParts = ['2a8648ce3d', '06035504', '0603551d', '2b06010505', 'a003020102', '02010030'].map(
  (hex) => Buffer.from(hex, 'hex'),
);
const beginsPart = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(publicParts.some((part) => part[0] === byte)),
);

/** Splits bytes into text, long enough to be meant as such, and all else. */
export function* textAndElse(bytes: Uint8Array): Generator<Run & { readonly isText: boolean }> {
  let elseFrom = 0;
  for (let at = 0; at < bytes.length; ) {
    const from = at;
    while (isPrintable(bytes[at])) at += 1;
    if (at - from >= shortestText) {
      if (from > elseFrom) yield { from: elseFrom, to: from, isText: false };
      yield { from, to: at, isText: true };
      elseFrom = at;
    }
    at += 1;
  }
  if (bytes.length > elseFrom) yield { from: elseFrom, to: bytes.length, isText: false };
}

function isPrintable(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Where a private key could lie as it is: each place from which on 32 bytes look random and are nothing known. */
export function* places(bytes: Buffer, { from, to }: Run, known: KnownValues): Generator<number> {
  const [start, end] = [Math.max(0, from - margin), Math.min(bytes.length, to + margin)];
  for (const run of unexplained(bytes, start, end, known)) yield* random(bytes, run.from, run.to);
}

/** The runs between known values, parts of public structures, and repetitions. */
function* unexplained(bytes: Buffer, from: number, to: number, known: KnownValues): Generator<Run> {
  let start = from;
  for (let at = from; at < to; ) {
    const length = explainedAt(bytes, at, to, known);
    if (length > 0) {
      if (at - start >= scalarLength) yield { from: start, to: at };
      start = at + length;
    }
    at += Math.max(1, length);
  }
  if (to - start >= scalarLength) yield { from: start, to };
}

/** How many bytes from here on are known, or such as are in 32 random ones in less than one case of a hundred thousand. */
function explainedAt(bytes: Buffer, at: number, to: number, known: KnownValues): number {
  if (at + scalarLength <= bytes.length && known.has(bytes, at)) return scalarLength;
  const byte = bytes[at] ?? 0;
  if (beginsPart[byte] === 1)
    for (const part of publicParts) if (part.equals(bytes.subarray(at, at + part.length))) return part.length;
  if (byte === bytes[at + 1])
    return atLeast(
      8,
      runOf(bytes, at, to, (other) => other === byte),
    );
  if (isLetter(byte)) return atLeast(7, runOf(bytes, at, to, isLetter));
  return isPointer(byte) ? atLeast(16, 2 * pointersAt(bytes, at, to)) : 0;
}

function runOf(bytes: Buffer, from: number, to: number, belongs: (byte: number) => boolean): number {
  let at = from;
  while (at < to && belongs(bytes[at] ?? 0)) at += 1;
  return at - from;
}

/** A word of SQL or of a state. */
function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** The upper byte of where a cell lies in a page of SQLite, which has 4096. */
function isPointer(byte: number): boolean {
  return byte < 0x10;
}

function pointersAt(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at + 1 < to && isPointer(bytes[at] ?? 0)) at += 2;
  return (at - from) / 2;
}

function atLeast(least: number, length: number): number {
  return length >= least ? length : 0;
}

/** The places in a run from which on enough bytes are different. */
function* random(bytes: Buffer, from: number, to: number): Generator<number> {
  const counts = new Uint8Array(256);
  let different = 0;
  for (let at = from; at < to; at += 1) {
    const entering = bytes[at] ?? 0;
    counts[entering] = (counts[entering] ?? 0) + 1;
    if (counts[entering] === 1) different += 1;
    const place = at - scalarLength + 1;
    if (place < from) continue;
    if (different >= leastDifferent) yield place;
    const leaving = bytes[place] ?? 0;
    counts[leaving] = (counts[leaving] ?? 0) - 1;
    if (counts[leaving] === 0) different -= 1;
  }
}
