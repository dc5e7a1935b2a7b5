import { LinesideError } from './errors.ts';
import { type Checkpoint, logVerifier, openCheckpoint, parseOrigin } from './log/checkpoint.ts';
import { cosignaturesOn, witnessVerifier } from './log/cosignature.ts';
import { readPlainFile } from './log/plain-file.ts';
import { NoteError, noteText, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import type { LogStanding, Signed, Witnessed } from './report/report.ts';
import { readStationKey } from './station-key.ts';
import { headPath, longestNote, openAnyEpoch, rootAt } from './station-log.ts';
import { trustedAuthority } from './trusted-authority.ts';

/**
 * How far the log of a station goes, what of it the station has signed, and what the CA has. What cannot be checked
 * vouches for nothing and is left out: to say why is for the audit.
 */
export async function logStanding(
  directory: string,
  station: string,
  registry: Registry,
): Promise<LogStanding> {
  const { size } = await registry.logPosition();
  const key = await unlessRefused(() => readStationKey(directory, station));
  if (key === null) return { size, signed: null, witnessed: null };
  return {
    size,
    signed: await unlessRefused(() => lastSigned(directory, key.verifier)),
    witnessed: await lastWitnessed(registry, key.verifier),
  };
}

async function lastSigned(directory: string, station: Verifier): Promise<Signed> {
  const note = (await readPlainFile(headPath(directory), longestNote)) ?? Buffer.alloc(0);
  return signed(openAnyEpoch(note, station), note);
}

/** The newest checkpoint that came back from the CA with its signature. */
async function lastWitnessed(registry: Registry, station: Verifier): Promise<Witnessed | null> {
  if ((await registry.authority()) === undefined) return null;
  const authority = await trustedAuthority(registry);
  for (let sequence = (await registry.lastBatch('in'))?.sequence ?? 0; sequence > 0; sequence -= 1) {
    const note = (await registry.batchFiles('in', sequence)).get('checkpoint');
    const witnessed = note && (await unlessRefused(() => witnessedBy(authority, note, station, registry)));
    if (witnessed) return witnessed;
  }
  return null;
}

/** Null for a note that does not carry this CA's signature. @throws NoteError */
async function witnessedBy(
  authority: Verifier,
  note: Uint8Array,
  station: Verifier,
  registry: Registry,
): Promise<Witnessed | null> {
  const epoch = parseOrigin(noteText(note).split('\n')[0] ?? '')?.epoch ?? 1;
  const opened = openCheckpoint(note, logVerifier(station, epoch), [witnessVerifier(authority)]);
  const [cosignature] = cosignaturesOn(opened);
  if (cosignature === undefined) return null;
  const root = await unlessRefused(() => rootAt(registry, opened.size));
  const holds = root?.equals(opened.root) ?? false;
  return { ...signed(opened, note), witness: authority.name, time: cosignature.time, holds };
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NoteError || isRefusal(error)) return null;
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  const refusals = ['station-key-unusable', 'log-unreadable', 'log-rewritten'];
  return error instanceof LinesideError && refusals.includes(error.code);
}

function signed({ origin, size, root }: Checkpoint, note: Uint8Array): Signed {
  return { origin, size, root: Buffer.from(root).toString('base64'), note: Buffer.from(note).toString() };
}
