import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { type DeviceId, parseDeviceId, unitStates } from './device.ts';
import { LinesideError, systemWords } from './errors.ts';
import { parsePem } from './pem.ts';

/** What a registry says of a unit, as far as a CA asks. */
export interface ExportedUnit {
  readonly state: (typeof unitStates)[number];
  /** SHA-256 of the stored request; null before there was one. */
  readonly csrSha256: string | null;
}

const schema = v.object({
  type: v.literal('unit'),
  id: v.pipe(v.string(), v.transform(parseDeviceId)),
  state: v.picklist(unitStates),
  csr: v.nullable(v.string()),
});

/**
 * Reads what `lineside registry export` wrote, of one or more stations. Nobody vouches for it and nobody has to: a
 * request proves itself, and the CA knows the hash of each.
 * @throws LinesideError `registry-export-invalid`, `request-unreadable`
 */
export async function readRegistryExports(
  paths: readonly string[],
): Promise<ReadonlyMap<DeviceId, ExportedUnit>> {
  const units = new Map<DeviceId, ExportedUnit>();
  for (const path of paths) {
    let line = 0;
    for await (const text of linesOf(path)) {
      line += 1;
      const { id, state, csrSha256 } = parseUnit(text) ?? invalid(path, line);
      if (units.has(id)) invalid(path, line);
      units.set(id, { state, csrSha256 });
    }
  }
  return units;
}

function parseUnit(text: string): (ExportedUnit & { readonly id: DeviceId }) | undefined {
  try {
    const { id, state, csr } = v.parse(schema, JSON.parse(text));
    if (csr === null) return { id, state, csrSha256: null };
    const [der, ...others] = parsePem('CERTIFICATE REQUEST', csr) ?? [];
    if (der === undefined || others.length > 0) return undefined;
    return { id, state, csrSha256: createHash('sha256').update(der).digest('hex') };
  } catch {
    return undefined; // whatever is wrong with it, the line is told
  }
}

function invalid(path: string, line: number): never {
  throw new LinesideError('registry-export-invalid', { path, line });
}

async function* linesOf(path: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  } catch (cause) {
    throw new LinesideError('request-unreadable', { path, reason: systemWords(cause) }, { cause });
  }
}
