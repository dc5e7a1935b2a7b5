import { z } from 'zod';
import { type Board, parseDeviceId } from '../device.ts';
import { type ErrorCode, errorTable, type Facts } from '../errors.ts';

/*
 * All that the station and the unit process say to each other: a closed set of shapes, checked on arrival, in
 * which there is no room for a private key. Its 32 bytes need 43 characters in base64; no free text is as long.
 */
const shortText = z.string().max(42);

const id = z.string().transform((text) => parseDeviceId(text));
const chip = shortText;
const probe = z.string().max(120);
/** The firmware image as the station holds it open; it has no other name. */
const heldOpen = z.string().regex(/^\/proc\/\d{1,10}\/fd\/\d{1,10}$/);

const requestSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('examine'), chip, probe }),
  z.strictObject({ do: z.literal('recover'), chip, probe }),
  z.strictObject({ do: z.literal('make-key'), id }),
  z.strictObject({ do: z.literal('program'), firmware: heldOpen.nullable() }),
  z.strictObject({ do: z.literal('write-identity') }),
  z.strictObject({ do: z.literal('lock') }),
  z.strictObject({ do: z.literal('start') }),
]);

const publicKey = z.string().regex(/^04[0-9a-f]{128}$/);
const page = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('blank') }),
  z.strictObject({ kind: z.literal('interrupted') }),
  z.strictObject({ kind: z.literal('damaged') }),
  z.strictObject({ kind: z.literal('identity'), id, publicKey }),
]);
const board = z.strictObject({ uid: z.string().regex(/^[0-9A-F]{8,32}$/), page });

const code = z.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(errorTable, value));
const facts = z.record(shortText, z.union([shortText, z.number()]));

const replySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('done') }),
  z.strictObject({ kind: z.literal('board'), board }),
  z.strictObject({ kind: z.literal('csr'), csr: z.base64().max(1400) }),
  z.strictObject({ kind: z.literal('failed'), code, facts }),
]);

export type Request = z.infer<typeof requestSchema>;
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'board'; readonly board: Board }
  | { readonly kind: 'csr'; readonly csr: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly facts: Facts };

/** @throws ZodError for anything but a `Request` */
export function parseRequest(message: unknown): Request {
  return requestSchema.parse(message);
}

/** @throws ZodError for anything but a `Reply` */
export function parseReply(message: unknown): Reply {
  return replySchema.parse(message);
}
