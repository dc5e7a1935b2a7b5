import type { KnownValues } from './known-values.ts';

/** Bytes that are written in a text, and where. */
export interface Written {
  readonly at: number;
  readonly form: 'hex' | 'base64' | 'numbers';
  readonly bytes: Buffer;
}

/** 32 bytes and more that a text holds in one of the ways in which programs print bytes. */
export function* writtenIn(text: string, known: KnownValues): Generator<Written> {
  const unknown = text.replace(/[0-9a-f]{64,}/g, (run) => withoutKnown(run, known));
  for (const { 0: run, index: at } of unknown.matchAll(/[0-9a-f]{64,}|[0-9A-F]{64,}/g))
    for (const from of [0, 1]) yield { at, form: 'hex', bytes: Buffer.from(run.slice(from), 'hex') };
  const rest = unknown.replace(/[0-9a-f]{64,}|[0-9A-F]{64,}/g, (run) => ' '.repeat(run.length));
  yield* inRest(rest);
}

/** A hash that is known stands in the text of every leaf. */
function withoutKnown(run: string, known: KnownValues): string {
  let kept = '';
  for (let at = 0; at < run.length; ) {
    const isKnown = at + 64 <= run.length && known.has(Buffer.from(run.slice(at, at + 64), 'hex'), 0);
    kept += isKnown ? ' '.repeat(64) : run.charAt(at);
    at += isKnown ? 64 : 1;
  }
  return kept;
}

/** Base64 also over lines, as in PEM, and base64url as in a JWK; hex as openssl prints it, or as a program has it. */
function* inRest(text: string): Generator<Written> {
  for (const { 0: run, index: at } of text.matchAll(/[\w+/-]{16,}={0,2}(?:\r?\n[\w+/-]+={0,2})*/g))
    if (run.length >= 43) yield { at, form: 'base64', bytes: Buffer.from(run.replace(/\s/g, ''), 'base64') };
  for (const { 0: run, index: at } of text.matchAll(
    /(?:(?:0x)?[0-9A-Fa-f]{2}[:,\s]\s*){31,}(?:0x)?[0-9A-Fa-f]{2}/g,
  ))
    yield { at, form: 'hex', bytes: Buffer.from(run.replace(/0x|[:,\s]/g, ''), 'hex') };
  for (const { 0: run, index: at } of text.matchAll(/(?:\d{1,3},\s*){31,}\d{1,3}/g))
    yield { at, form: 'numbers', bytes: Buffer.from(run.split(',').map(Number)) };
}
