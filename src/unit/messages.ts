import * as v from 'valibot';
import { type Board, parseDeviceId } from '../device.ts';
import { type ErrorCode, errorTable, type Facts } from '../errors.ts';

/*
 * All that the station and the unit process say to each other: a closed set of shapes, checked on arrival, in
 * which there is no room for a private key. Its 32 bytes need 43 characters in base64; no free text is as long.
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
const facts = v.record(shortText, v.union([shortText, v.number()]));

const replySchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('done') }),
  v.strictObject({ kind: v.literal('board'), board }),
  v.strictObject({ kind: v.literal('csr'), csr: v.pipe(v.string(), v.base64(), v.maxLength(1400)) }),
  v.strictObject({ kind: v.literal('failed'), code, facts }),
]);

export type Request = v.InferOutput<typeof requestSchema>;
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'board'; readonly board: Board }
  | { readonly kind: 'csr'; readonly csr: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly facts: Facts };

/** @throws ValiError for anything but a `Request` */
export function parseRequest(message: unknown): Request {
  return v.parse(requestSchema, message);
}

/** @throws ValiError for anything but a `Reply` */
export function parseReply(message: unknown): Reply {
  return v.parse(replySchema, message);
}
