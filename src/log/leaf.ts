import { isUtf8 } from 'node:buffer';
import { canonicalJson } from '../canonical-json.ts';
import { LinesideError } from '../errors.ts';
import { eventKeys } from './events.ts';
import { hasForm, leafForms, valueForms } from './leaf-form.ts';

/** Who writes the log: said again in every leaf, so that a leaf can be read on its own. */
export interface LeafContext {
  /** Name of the station, at most 40 letters, digits, dots, dashes and underscores. */
  readonly station: string;
  /** Version of lineside, for example `0.1.0`. */
  readonly sw: string;
  /** Which start of this PC it is, a UUID, and a look at how many seconds ago that was: no hand sets this clock. */
  readonly boot: { readonly id: string; readonly seconds: () => number };
}

type Value = string | number | boolean | null;
type Fields = Readonly<Record<string, Value>>;

/** A leaf that has been read: its form is that of its event, so these keys have the types they are written with. */
export interface Leaf {
  readonly v: number;
  readonly n: number;
  /** ISO 8601 UTC with milliseconds: a claim of the PC's clock. */
  readonly t: string;
  /** `<boot id>:<seconds since then>`; leaves of version 1 have none. */
  readonly m?: string;
  readonly p: string;
  readonly station: string;
  readonly sw: string;
  readonly ev: string;
  readonly [key: string]: Value | undefined;
}

/**
 * The encoder of one station's log: RFC 8785 canonical JSON in UTF-8, no newline, never above 4096 bytes. Leaf `n`
 * names in `p` the SHA-256 of the leaf before it (`previous`, 32 bytes), or 64 zeros if it is the first, and in `m`
 * the boot and the seconds since then.
 * @throws LinesideError `usage` for a reason that is not one, `internal` for any other key or value not allowed
 */
export function encodeLeaf({ station, sw, boot }: LeafContext) {
  return (event: Fields, n: number, previous: Uint8Array | null): Uint8Array => {
    mustBeEvent(event);
    const p = previous === null ? '0'.repeat(64) : Buffer.from(previous).toString('hex');
    const writer = { v: 2, n, p, station, sw, m: `${boot.id}:${boot.seconds().toFixed(2)}` };
    for (const [key, value] of Object.entries(writer)) if (!isAllowed(key, value)) throw refusal(key);
    return new TextEncoder().encode(canonicalJson({ ...event, ...writer }));
  };
}

/**
 * Reads a leaf: exactly what `encodeLeaf` can have written, or undefined. The bytes may come from an attacker; what a
 * leaf says may still be a lie.
 */
export function readLeaf(bytes: Uint8Array): Leaf | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const [, ev = ''] = /"ev":"([a-z.]{1,40})"/.exec(text) ?? [];
  if (leafForms.get(ev)?.test(text) !== true) return undefined;
  const leaf: Leaf = JSON.parse(text);
  return isPossible(leaf) ? leaf : undefined;
}

/** What a form cannot say. */
function isPossible(leaf: Leaf): boolean {
  const { v, m, reason, batch, generation, epoch } = leaf;
  if ((v === 1) !== (m === undefined)) return false;
  if (reason !== undefined && !isReason(reason)) return false;
  return [batch, generation, epoch].every((value) => value === undefined || isCount(value));
}

/** An event says all that its kind says, and nothing else. Never repeats what it refuses: it may be a secret astray. */
function mustBeEvent(event: Fields): void {
  const stranger = Object.keys(event).find((key) => !valueForms.has(key));
  if (stranger !== undefined) throw new LinesideError('internal', { reason: 'the log has no such key' });
  const keys = ['t', 'ev', ...(eventKeys.get(String(event['ev'])) ?? [])];
  const wrong =
    keys.find((key) => !isAllowed(key, event[key])) ?? Object.keys(event).find((key) => !keys.includes(key));
  if (wrong !== undefined) throw refusal(wrong);
}

function isAllowed(key: string, value: Value | undefined): boolean {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return false;
  if (key === 'reason') return isReason(value);
  if (key === 'batch' || key === 'generation' || key === 'epoch') return isCount(value);
  return hasForm(key, value);
}

function refusal(key: string): LinesideError {
  if (key !== 'reason')
    return new LinesideError('internal', { reason: `the log refuses what "${key}" was given` });
  const problem = 'a reason is 1 to 120 printable characters with nothing in it that could be a key';
  return new LinesideError('usage', { problem });
}

/** 43 is the length of 32 bytes in base64 without padding; `04:AB:…`, `04 AB …` and `0x04, 0xAB…` are hex as tools print it. */
function isReason(value: Value | undefined): boolean {
  if (typeof value !== 'string' || !hasForm('reason', value)) return false;
  return !/[A-Za-z0-9+/_=-]{43}/.test(value) && !/[0-9A-Fa-f]{43}/.test(value.replace(/0x|[\s:,-]/g, ''));
}

/** From 1, 32 bits: too few for a key. */
function isCount(value: Value | undefined): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffffffff;
}
