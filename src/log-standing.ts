import { readFile } from 'node:fs/promises';
import { headPath, openAnyEpoch, rootAt } from './station-log.ts';
import { type Checkpoint, logVerifier, openCheckpoint, parseOrigin } from './log/checkpoint.ts';
import { cosignaturesOn, witnessVerifier } from './log/cosignature.ts';
import { NoteError, noteText, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import type { LogStanding, Signed, Witnessed } from './report/report.ts';
import type { Station } from './station-directory.ts';
import { openStationKey } from './station-key.ts';
import { trustedAuthority } from './trusted-authority.ts';

/**
 * How far the log of a station goes, what of it the station has signed, and what the CA has: of a station that was just
 * opened, so its head is there and the log extends it.
 */
export async function logStanding(
  directory: string,
  { file, registry }: Station,
): Promise<Omit<LogStanding, 'unreadable'>> {
  const { verifier } = await openStationKey(directory, file.name, registry);
  const head = await readFile(headPath(directory));
  return {
    size: (await registry.logPosition()).size,
    signed: signed(openAnyEpoch(head, verifier), head),
    witnessed: await lastWitnessed(registry, verifier),
  };
}

/** The newest checkpoint that came back from the CA with its signature. */
async function lastWitnessed(registry: Registry, station: Verifier): Promise<Witnessed | null> {
  if ((await registry.authority()) === undefined) return null;
  const authority = await trustedAuthority(registry);
  for (let sequence = (await registry.lastBatch('in'))?.sequence ?? 0; sequence > 0; sequence -= 1) {
    const note = (await registry.batchFiles('in', sequence)).get('checkpoint');
    const witnessed = note && (await witnessedBy(authority, note, station, registry));
    if (witnessed) return witnessed;
  }
  return null;
}

/** Undefined for a note that does not carry this CA's signature: it vouches for nothing. */
async function witnessedBy(
  authority: Verifier,
  note: Uint8Array,
  station: Verifier,
  registry: Registry,
): Promise<Witnessed | undefined> {
  try {
    const epoch = parseOrigin(noteText(note).split('\n')[0] ?? '')?.epoch ?? 1;
    const opened = openCheckpoint(note, logVerifier(station, epoch), [witnessVerifier(authority)]);
    const [cosignature] = cosignaturesOn(opened);
    if (cosignature === undefined) return undefined;
    const holds = await beginsWith(registry, opened);
    return { ...signed(opened, note), witness: authority.name, time: cosignature.time, holds };
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}

async function beginsWith(registry: Registry, { size, root }: Checkpoint): Promise<boolean> {
  if (size > (await registry.logPosition()).size) return false;
  return (await rootAt(registry, size)).equals(root);
}

function signed({ origin, size, root }: Checkpoint, note: Uint8Array): Signed {
  return { origin, size, root: Buffer.from(root).toString('base64'), note: Buffer.from(note).toString() };
}
