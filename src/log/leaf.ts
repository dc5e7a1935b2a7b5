import { canonicalJson } from '../canonical-json.ts';
import { unitStates } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { eventKeys } from './events.ts';

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
type Rule = (value: Value | undefined) => boolean;

const sha256 = matches(/^[0-9a-f]{64}$/);
// 40 characters at most: too short for a P-256 private key, which takes 43 in base64.
const name = matches(/^[A-Za-z0-9._-]{1,40}$/);
const state = oneOf(unitStates);

const time = matches(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const id = matches(/^(?!0{8}|F{8})[0-9A-F]{8}$/);

/** What an event may say. A key that is not here cannot be logged, so a private key has no place to go. */
const eventRules = new Map<string, Rule>([
  ['t', time],
  ['ev', oneOf([...eventKeys.keys()])],
  ['id', id],
  ['from', state],
  ['to', state],
  ['csr', sha256],
  ['spki', sha256],
  ['uid', matches(/^[0-9A-F]{8,32}$/)],
  ['probe', matches(/^[!-~]{1,40}$/)],
  ['fw', (value) => value === null || sha256(value)],
  ['proof', oneOf(['read-back', 'signature'])],
  ['locked', (value) => typeof value === 'boolean'],
  ['reason', isReason],
  ['lease', matches(/^[0-9A-F]{8}-[0-9A-F]{8}$/)],
  ['chip', name],
  ['signer', sha256],
  ['batch', isCount],
  ['manifest', sha256],
  ['cert', sha256],
  ['generation', isCount],
  ...unitStates.map((counted) => [counted, isSize] as const),
  ['digest', sha256],
  ['next', (value) => value === null || id(value)],
  ['epoch', isCount],
  ['before', isSize],
  ['size', isSize],
  ['root', sha256],
  ['backup', sha256],
  ['was', time],
]);

/** What the writer adds; an event that tries to say it is refused. */
const writerRules = new Map<string, Rule>([
  ['v', (value) => value === 2],
  ['n', isSize],
  ['station', name],
  ['sw', matches(/^[0-9A-Za-z.+-]{1,40}$/)],
  ['m', matches(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d{1,12}\.\d\d$/)],
  ['p', sha256],
]);

/**
 * The encoder of one station's log: RFC 8785 canonical JSON in UTF-8, no newline, never above 4096 bytes. Leaf `n`
 * names in `p` the SHA-256 of the leaf before it (`previous`, 32 bytes), or 64 zeros if it is the first, and in `m`
 * the boot and the seconds since then.
 * @throws LinesideError `usage` for a reason that is not one, `internal` for any other key or value not allowed
 */
export function encodeLeaf(context: LeafContext) {
  return (event: Fields, n: number, previous: Uint8Array | null): Uint8Array => {
    check(event, eventRules);
    mustBeWhole(event);
    const { station, sw, boot } = context;
    const p = previous === null ? '0'.repeat(64) : Buffer.from(previous).toString('hex');
    const writer = { v: 2, n, p, station, sw, m: `${boot.id}:${boot.seconds().toFixed(2)}` };
    check(writer, writerRules);
    return new TextEncoder().encode(canonicalJson({ ...event, ...writer }));
  };
}

/** An event says all that its kind says, and nothing else. */
function mustBeWhole(event: Fields): void {
  const keys = ['t', 'ev', ...(eventKeys.get(String(event['ev'])) ?? [])];
  const missing = keys.find((key) => event[key] === undefined);
  if (missing !== undefined) throw refusal(missing);
  const foreign = Object.keys(event).find((key) => !keys.includes(key));
  if (foreign !== undefined) throw refusal(foreign);
}

/** Never repeats the value it refuses, nor an unknown key: either may be the secret that went astray. */
function check(fields: Fields, rules: ReadonlyMap<string, Rule>): void {
  for (const key of Object.keys(fields)) {
    const rule = rules.get(key);
    if (rule === undefined) throw new LinesideError('internal', { reason: 'the log has no such key' });
    if (!rule(fields[key])) throw refusal(key);
  }
}

function refusal(key: string): LinesideError {
  if (key !== 'reason')
    return new LinesideError('internal', { reason: `the log refuses what "${key}" was given` });
  const problem = 'a reason is 1 to 120 printable characters with nothing in it that could be a key';
  return new LinesideError('usage', { problem });
}

/** 43 is the length of 32 bytes in base64 without padding; `04:AB:…`, `04 AB …` and `0x04, 0xAB…` are hex as tools print it. */
function isReason(value: Value | undefined): boolean {
  if (typeof value !== 'string' || !/^[^\p{C}\p{Zl}\p{Zp}]{1,120}$/u.test(value)) return false;
  return !/[A-Za-z0-9+/_=-]{43}/.test(value) && !/[0-9A-Fa-f]{43}/.test(value.replace(/0x|[\s:,-]/g, ''));
}

/** From 1, 32 bits: too few for a key. */
function isCount(value: Value | undefined): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffffffff;
}

/** From 0. */
function isSize(value: Value | undefined): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function matches(pattern: RegExp): Rule {
  return (value) => typeof value === 'string' && pattern.test(value);
}

function oneOf(words: readonly string[]): Rule {
  return (value) => typeof value === 'string' && words.includes(value);
}
