import type { KnownValues } from './known-values.ts';

/** A run of bytes, `to` not included. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

const scalarLength = 32;
/** In random bytes one run of printable ones in a million is as long. */
const shortestText = 16;
/** A key that lies beside text may begin or end with bytes that look like more of it: with 9 in one case of 3,000. */
const margin = 8;
/** Of 32 random bytes 30 are different, and fewer than these in one case of ten million. */
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
    while (printable[bytes[at] ?? 0] === 1) at += 1;
    if (at - from >= shortestText) {
      if (from > elseFrom) yield { from: elseFrom, to: from, isText: false };
      yield { from, to: at, isText: true };
      elseFrom = at;
    }
    at += 1;
  }
  if (bytes.length > elseFrom) yield { from: elseFrom, to: bytes.length, isText: false };
}

const printable = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number((byte >= 0x20 && byte < 0x7f) || [0x09, 0x0a, 0x0d].includes(byte)),
);

/** Where a private key could lie as it is: each place from which on 32 bytes look random and are nothing known. */
export function* places(bytes: Buffer, { from, to }: Run, known: KnownValues): Generator<number> {
  const [start, end] = [Math.max(0, from - margin), Math.min(bytes.length, to + margin)];
  for (const run of unexplained(bytes, start, end, known)) yield* random(bytes, run.from, run.to);
}

/** The runs between what is known to be no secret. */
function* unexplained(bytes: Buffer, from: number, to: number, known: KnownValues): Generator<Run> {
  let start = from;
  for (let at = from; at < to; ) {
    const run = explained(bytes, at, to, known);
    if (run !== undefined) {
      if (run.from - start >= scalarLength) yield { from: start, to: run.from };
      start = run.to;
    }
    at = Math.max(at + 1, run?.to ?? 0);
  }
  if (to - start >= scalarLength) yield { from: start, to };
}

/** What begins here and is known, or is in 32 random bytes in less than one case of a hundred thousand. */
function explained(bytes: Buffer, at: number, to: number, known: KnownValues): Run | undefined {
  if (at + scalarLength <= bytes.length && known.has(bytes, at)) return { from: at, to: at + scalarLength };
  const byte = bytes[at] ?? 0;
  if (beginsPart[byte] === 1)
    for (const part of publicParts)
      if (bytes[at + 1] === part[1] && part.equals(bytes.subarray(at, at + part.length)))
        return { from: at, to: at + part.length };
  if (byte === bytes[at + 1])
    return inner(
      at,
      runOf(bytes, at, to, 1, (other) => other === byte),
      12,
      2,
    );
  if (isLetter(byte)) return inner(at, runOf(bytes, at, to, 1, isLetter), 7, 2);
  return isPointer(byte) ? inner(at, runOf(bytes, at, to, 2, isPointer), 24, 4) : undefined;
}

/** Where every byte, or every other one, is such. */
function runOf(
  bytes: Buffer,
  from: number,
  to: number,
  step: number,
  isSuch: (byte: number) => boolean,
): number {
  let at = from;
  while (at < to && isSuch(bytes[at] ?? 0)) at += step;
  return at;
}

/** A run that is long enough, without its ends: a key that lies beside it may begin or end with such bytes as well. */
function inner(from: number, to: number, shortest: number, ends: number): Run | undefined {
  return to - from >= shortest ? { from: from + ends, to: to - ends } : undefined;
}

/** Of a word of SQL or of a state. */
function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** The upper byte of where a cell lies in a page of SQLite, which has 4096. */
function isPointer(byte: number): boolean {
  return byte < 0x10;
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
