import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { canonicalJson } from '../canonical-json.ts';
import { refusal } from './refusal.ts';

/** The file that says what the batch is, and all of which is signed. */
export const manifestFile = 'manifest.json';
export const maximumManifest = 64 * 1024;
const maximumTotal = 256 * 1024 * 1024;

/** What each kind carries: required files, then those that may be there. */
const payloads = {
  requests: { required: ['checkpoint', 'consistency', 'requests.pem'], optional: [] },
  certificates: {
    required: ['certificates.pem', 'chain.pem'],
    optional: ['anchors.pem', 'checkpoint', 'crl.pem'],
  },
  fleet: {
    required: ['anchors.pem', 'chain.pem', 'device-anchors.pem', 'devices.jsonl', 'gaps.jsonl'],
    optional: [],
  },
} as const satisfies Record<string, { required: readonly PayloadFile[]; optional: readonly PayloadFile[] }>;

/** What goes between a station and its CA. */
export type BatchKind = 'requests' | 'certificates';
const payloadFiles = [
  'requests.pem',
  'certificates.pem',
  'chain.pem',
  'anchors.pem',
  'crl.pem',
  'checkpoint',
  'consistency',
  'device-anchors.pem',
  'devices.jsonl',
  'gaps.jsonl',
] as const;
export type PayloadFile = (typeof payloadFiles)[number];

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

const keyName = v.pipe(v.string(), v.regex(/^[!-*,-~]{1,64}\+[0-9a-f]{8}$/));

const everywhere = {
  schema: v.literal(1),
  /** The CA it goes to or comes from: name and hash of its verifier key. */
  authority: keyName,
  files: v.array(v.strictObject({ name: v.picklist(payloadFiles), length: whole(0, maximumTotal), sha256 })),
};

const numbered = {
  ...everywhere,
  /** The station it comes from or goes to. */
  station: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/)),
  /** Counts the batches of this station in this direction, from 1. */
  sequence: whole(1, 0xffffffff),
  /** SHA-256 of the manifest before it in this direction, 64 zeros in the first. */
  previous: sha256,
};

/** Which certificates they are in the life of a device, from 1: each CA after another counts one up. */
const generation = whole(1, 0xffffffff);

const schema = v.variant('kind', [
  v.strictObject({ ...numbered, kind: v.literal('requests') }),
  v.strictObject({
    ...numbered,
    kind: v.literal('certificates'),
    /** SHA-256 of the manifest of the requests it answers, null if the CA sends it unasked. */
    answers: v.nullable(sha256),
    generation,
  }),
  v.strictObject({
    ...everywhere,
    kind: v.literal('fleet'),
    /** The CA whose certificates these take the place of. */
    predecessor: keyName,
    generation,
  }),
]);

export type Manifest = v.InferOutput<typeof schema>;
/** What is said of a batch beside its files. */
export type Header = HeaderOf<Manifest>;
type HeaderOf<Kind> = Kind extends unknown ? Omit<Kind, 'schema' | 'files'> : never;

/** The files of a batch as they were read. */
export type Payload = ReadonlyMap<PayloadFile, Uint8Array>;

/** A file that is too large to be held: written as it is read, its length and hash known from an earlier reading. */
export interface Streamed {
  readonly length: number;
  readonly sha256: string;
  read(): AsyncIterable<Uint8Array>;
}

/** The files of a batch that is to be written. */
export type Contents = ReadonlyMap<PayloadFile, Uint8Array | Streamed>;

/**
 * The manifest of these files. What cannot be read again is not written.
 * @throws LinesideError `batch-refused`
 */
export function composeManifest(
  header: Header,
  contents: ReadonlyMap<PayloadFile, Uint8Array | Omit<Streamed, 'read'>>,
): Uint8Array {
  const files = [...contents].map(([name, content]) => {
    const sha256 = content instanceof Uint8Array ? hashOf(content) : content.sha256;
    return { name, length: content.length, sha256 };
  });
  files.sort((one, other) => (one.name < other.name ? -1 : 1));
  const manifest = Buffer.from(canonicalJson({ ...header, schema: 1, files }));
  parseManifest(manifest);
  return manifest;
}

/**
 * Reads a manifest. Only the bytes that `composeManifest` would write are one: RFC 8785, so that a key twice,
 * `__proto__`, white space, another way to write a number and anything after the end are all refused alike.
 * @throws LinesideError `batch-refused`
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const manifest = v.safeParse(schema, jsonOf(bytes));
  if (!manifest.success) throw refusal('manifest');
  const { kind, files } = manifest.output;
  if (!Buffer.from(canonicalJson(manifest.output)).equals(bytes)) throw refusal('manifest');
  mustBePayloadOf(
    kind,
    files.map(({ name }) => name),
  );
  if (files.reduce((sum, { length }) => sum + length, 0) > maximumTotal) throw refusal('too-large');
  return manifest.output;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw refusal('manifest', undefined, cause);
  }
}

/** All that it must carry, nothing else, each once and in the order of the names. */
function mustBePayloadOf(kind: Manifest['kind'], names: readonly PayloadFile[]): void {
  const { required, optional }: Record<'required' | 'optional', readonly PayloadFile[]> = payloads[kind];
  const missing = required.find((name) => !names.includes(name));
  if (missing !== undefined) throw refusal('missing-file', missing);
  const foreign = names.find((name) => !required.includes(name) && !optional.includes(name));
  if (foreign !== undefined) throw refusal('unknown-file', foreign);
  if (names.some((name, at) => at > 0 && name <= (names[at - 1] ?? ''))) throw refusal('manifest');
}
