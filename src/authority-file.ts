import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { LinesideError, systemCode, systemWords } from './errors.ts';

/** What a CA is: read from `ca.json`, written once by `ca init`. */
export interface AuthorityFile {
  readonly name: string;
  readonly profile: 'default' | 'rfc5280' | 'matter';
  /** How long device certificates are valid; null is for ever. */
  readonly validDays: number | null;
  /** `roots`: two trust anchors. `intermediates`: two CAs below one root. */
  readonly structure: 'roots' | 'intermediates';
  readonly keys: KeyPlace;
}

export type KeyPlace =
  | { readonly kind: 'file'; readonly passwords: 1 | 2 }
  | {
      readonly kind: 'pkcs11';
      readonly module: string;
      readonly token: string;
      /** CKA_ID of the keys, hex. */
      readonly id: string;
    };

const schema = v.strictObject({
  schema: v.literal(1),
  name: v.string(),
  profile: v.picklist(['default', 'rfc5280', 'matter']),
  validDays: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(36_500))),
  structure: v.picklist(['roots', 'intermediates']),
  keys: v.variant('kind', [
    v.strictObject({ kind: v.literal('file'), passwords: v.picklist([1, 2]) }),
    v.strictObject({
      kind: v.literal('pkcs11'),
      module: v.string(),
      token: v.string(),
      id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
    }),
  ]),
});

export function formatAuthorityFile(file: AuthorityFile): string {
  return `${JSON.stringify({ schema: 1, ...file }, null, 2)}\n`;
}

/** @throws LinesideError `ca-missing`, `ca-invalid` */
export async function readAuthorityFile(path: string): Promise<AuthorityFile> {
  try {
    const { schema: _, ...file } = v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
    return file;
  } catch (cause) {
    const missing = ['ENOENT', 'ENOTDIR'].includes(systemCode(cause));
    if (missing) throw new LinesideError('ca-missing', { path: dirname(path) }, { cause });
    const where = v.isValiError(cause) ? `${v.getDotPath(cause.issues[0])}: ` : '';
    throw new LinesideError('ca-invalid', { path, reason: `${where}${systemWords(cause)}` }, { cause });
  }
}
