import { unitStates } from '../device.ts';
import { eventKeys } from './events.ts';

/*
 * The one form that a leaf has. Canonical JSON (RFC 8785) of keys and values that are all known beforehand leaves one
 * text for one leaf, so what a leaf may be is a regular expression for each event: what is written is held to it, and
 * nothing else is read. A key that is not here cannot be logged, so a private key has no place to go.
 */

const sha256 = '"[0-9a-f]{64}"';
const deviceId = '"(?!0{8}|F{8})[0-9A-F]{8}"';
// 40 characters at most: too short for a P-256 private key, which takes 43 in base64.
const name = '"[A-Za-z0-9._-]{1,40}"';
const time = String.raw`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`;
const state = `"(?:${unitStates.join('|')})"`;
/** From 1; that it has 32 bits is asked of its value. */
const count = String.raw`[1-9]\d{0,9}`;
/** From 0 to below 10^15, which is a safe integer. */
const size = String.raw`(?:0|[1-9]\d{0,14})`;

/** The JSON text of each value. In strings only `"` and `\` are escaped: there are no control characters in them. */
export const valueForms: ReadonlyMap<string, string> = new Map([
  ['t', time],
  ['ev', `"(?:${[...eventKeys.keys()].join('|').replaceAll('.', String.raw`\.`)})"`],
  ['id', deviceId],
  ['from', state],
  ['to', state],
  ['csr', sha256],
  ['spki', sha256],
  ['uid', '"[0-9A-F]{8,32}"'],
  ['probe', String.raw`"(?:[!#-\[\]-~]|\\["\\]){1,40}"`],
  ['fw', `(?:null|${sha256})`],
  ['proof', '"(?:read-back|signature)"'],
  ['locked', '(?:true|false)'],
  ['reason', String.raw`"(?:[^"\\\p{C}\p{Zl}\p{Zp}]|\\["\\]){1,120}"`],
  ['lease', '"[0-9A-F]{8}-[0-9A-F]{8}"'],
  ['chip', name],
  ['signer', sha256],
  ['batch', count],
  ['manifest', sha256],
  ['cert', sha256],
  ['generation', count],
  ...unitStates.map((counted) => [counted, size] as const),
  ['digest', sha256],
  ['next', `(?:null|${deviceId})`],
  ['epoch', count],
  ['before', size],
  ['size', size],
  ['root', sha256],
  ['backup', sha256],
  ['was', time],
]);

/** What the writer of a log adds to every event. */
export const writerForms: ReadonlyMap<string, string> = new Map([
  ['v', '[12]'],
  ['n', size],
  ['station', name],
  ['sw', '"[0-9A-Za-z.+-]{1,40}"'],
  ['m', String.raw`"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d{1,12}\.\d\d"`],
  ['p', sha256],
]);

/** The form of the leaves of each event. Leaves of version 1 have no `m`. */
export const leafForms: ReadonlyMap<string, RegExp> = new Map(
  [...eventKeys].map(([ev, keys]) => {
    const all = ['ev', 't', ...keys, ...writerForms.keys()].sort();
    const members = all.map((key) => {
      const value = key === 'ev' ? `"${ev.replaceAll('.', String.raw`\.`)}"` : formOf(key);
      return key === 'm' ? `(?:"m":${value},)?` : `"${key}":${value},`;
    });
    return [ev, new RegExp(`^\\{${members.join('').slice(0, -1)}\\}$`, 'u')];
  }),
);

const checks = new Map(
  [...valueForms, ...writerForms].map(([key, form]) => [key, new RegExp(`^${form}$`, 'u')]),
);

/** Whether this value of this key has its form. */
export function hasForm(key: string, value: unknown): boolean {
  return checks.get(key)?.test(JSON.stringify(value) ?? '') ?? false;
}

function formOf(key: string): string {
  return valueForms.get(key) ?? writerForms.get(key) ?? '(?!)';
}
