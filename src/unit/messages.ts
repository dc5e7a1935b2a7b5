import * as v from 'valibot';
import { type Board, parseDeviceId } from '../device.ts';
import { type ErrorCode, errorTable, type Facts } from '../errors.ts';

/*
 * All that the station and the unit process say to each other: a closed set of shapes, checked on arrival, in
 * which there is no place for a private key: no text is free, and none as long as the 43 characters that its 32 bytes
 * take in base64.
 */
const shortText = v.pipe(v.string(), v.maxLength(42));

const id = v.pipe(v.string(), v.transform(parseDeviceId));
const chip = shortText;
const probe = v.pipe(v.string(), v.maxLength(120));
/** The firmware image as the station holds it open; it has no other name. */
const heldOpen = v.pipe(v.string(), v.regex(/^\/proc\/\d{1,10}\/fd\/\d{1,10}$/));

/** What is written beside the identity: all of it public, and from the station, which has no key. */
const der = v.pipe(v.string(), v.base64(), v.minLength(4), v.maxLength(5464));
const ders = v.pipe(v.array(der), v.maxLength(8));
const credentials = v.strictObject({
  generation: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(0xffffffff)),
  certificate: der,
  intermediates: ders,
  trustAnchors: ders,
  brokerNames: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[!-~]{1,253}$/))), v.maxLength(8)),
  firmwareKey: v.nullable(v.pipe(v.string(), v.regex(/^04[0-9a-f]{128}$/))),
});
export type BoardCredentials = v.InferOutput<typeof credentials>;

const requestSchema = v.variant('do', [
  v.strictObject({ do: v.literal('examine'), chip, probe }),
  v.strictObject({ do: v.literal('recover'), chip, probe }),
  v.strictObject({ do: v.literal('make-key'), id }),
  v.strictObject({ do: v.literal('program'), firmware: v.nullable(heldOpen) }),
  v.strictObject({ do: v.literal('write-identity') }),
  v.strictObject({ do: v.literal('write-credentials'), credentials }),
  v.strictObject({ do: v.literal('lock') }),
  v.strictObject({ do: v.literal('start') }),
]);

const publicKey = v.pipe(v.string(), v.regex(/^04[0-9a-f]{128}$/));
const page = v.variant('kind', [
  v.strictObject({ kind: v.picklist(['blank', 'interrupted', 'damaged']) }),
  v.strictObject({ kind: v.literal('identity'), id, publicKey }),
]);
const board = v.strictObject({ uid: v.pipe(v.string(), v.regex(/^[0-9A-F]{8,32}$/)), page });

const code = v.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(errorTable, value));
const hexWord = v.optional(v.pipe(v.string(), v.regex(/^0x[0-9A-F]{8}$/)));
const words = v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-][A-Za-z0-9 ,./_-]{0,39}$/)));
/** Addresses and register values, names and our own words: a scalar has no place in any of them. */
const facts = v.strictObject({
  address: hexWord,
  found: hexWord,
  expected: hexWord,
  probe: words,
  chip: words,
  known: words,
  doing: words,
  reason: words,
  seconds: v.optional(v.number()),
});

const replySchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('done') }),
  v.strictObject({ kind: v.literal('board'), board }),
  v.strictObject({ kind: v.literal('csr'), csr: v.pipe(v.string(), v.base64(), v.maxLength(1400)) }),
  v.strictObject({ kind: v.literal('failed'), code, facts: v.pipe(facts, v.transform(known)) }),
]);

export type Request = v.InferOutput<typeof requestSchema>;
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'board'; readonly board: Board }
  | { readonly kind: 'csr'; readonly csr: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly facts: Facts };

function known(facts: Record<string, string | number | undefined>): Facts {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A message carries the number of its request, so that no reply is ever taken for that to another one. */
interface Numbered<Body> {
  readonly n: number;
  readonly body: Body;
}

export function formatRequest(n: number, body: Request): Numbered<Request> {
  return { n, body };
}

export function formatReply(n: number, body: Reply): Numbered<Reply> {
  return { n, body };
}

/** @throws ValiError for anything but a `Request` */
export function parseRequest(message: unknown): Numbered<Request> {
  return v.parse(v.strictObject({ n: v.number(), body: requestSchema }), message);
}

/** @throws ValiError for anything but a `Reply` to request `n` */
export function parseReply(n: number, message: unknown): Reply {
  return v.parse(v.strictObject({ n: v.literal(n), body: replySchema }), message).body;
}
