import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StationFile } from './config.ts';
import type { DeviceId } from './device.ts';
import { replaceWhole } from './durable.ts';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import {
  type Checkpoint,
  logSigner,
  logVerifier,
  openCheckpoint,
  parseOrigin,
  signCheckpoint,
} from './log/checkpoint.ts';
import { emptyRoot } from './log/merkle.ts';
import { readPlainFile } from './log/plain-file.ts';
import * as proofs from './log/proof.ts';
import { formatProof } from './log/tlog-proof.ts';
import { NoteError, noteText, type Signer, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import { openStationKey, readStationKey } from './station-key.ts';

/*
 * The fork rule: "A log MUST not sign any checkpoint which is inconsistent with any checkpoint it previously signed"
 * (https://c2sp.org/tlog-checkpoint). `log.head` holds the last one signed. It lies beside the registry and is in none
 * of its backups, so a registry that was rolled back or rewritten does not fit it, and the station does not open.
 */

export function headPath(directory: string): string {
  return join(directory, 'log.head');
}

/** A note with 16 signatures is shorter. */
export const longestNote = 16 * 1024;

export interface SignedCheckpoint extends Checkpoint {
  /** The signed note. */
  readonly note: string;
}

/**
 * Seals the log and signs how far it goes, unless nothing was added since that was done last. The head is on disk before anybody is given the note: if power fails here,
 * what was signed is known, and nothing else is ever signed in its place.
 * @throws LinesideError `log-…`, `station-key-unusable`, `directory-unwritable`
 */
export async function makeCheckpoint(
  directory: string,
  station: StationFile,
  registry: Registry,
): Promise<SignedCheckpoint> {
  const key = await openStationKey(directory, station.name, registry);
  const epoch = (await registry.epoch()) ?? 1;
  const head = await readHead(directory, key.verifier);
  if (head !== undefined) await mustExtend(directory, registry, epoch, head);
  if (head?.size === (await registry.logPosition()).size) return head;
  const size = await registry.seal();
  return signHead(directory, logSigner(key, epoch), size, await rootAt(registry, size));
}

/** Makes `checkpoint` the last one signed. What it must extend, its caller has made sure of. */
export async function signHead(
  directory: string,
  signer: Signer,
  size: number,
  root: Uint8Array,
): Promise<SignedCheckpoint> {
  const checkpoint = { origin: signer.verifier.name, size, root };
  const note = signCheckpoint(checkpoint, signer);
  await onHead(directory, () => replaceWhole(headPath(directory), note));
  return { ...checkpoint, note };
}

/**
 * Holds a registry that was just opened to the last checkpoint that was signed. A station that never signed one gets
 * its first head and epoch here: the head first, so that if power fails between the two it is not signed again.
 * @throws LinesideError `log-…`, `station-key-unusable`, `directory-unwritable`
 */
export async function mustFitHead(
  directory: string,
  station: StationFile,
  registry: Registry,
): Promise<void> {
  const { verifier } = await openStationKey(directory, station.name, registry);
  const epoch = await registry.epoch();
  const head = await readHead(directory, verifier);
  if (epoch === undefined) {
    if (head === undefined) await makeCheckpoint(directory, station, registry);
    else await mustExtend(directory, registry, 1, head);
    const nothing = { before: 0, size: 0, root: emptyRoot.toString('hex') };
    await registry.openEpoch({ epoch: 1, ...nothing, reason: 'first epoch' });
    await makeCheckpoint(directory, station, registry);
  } else {
    if (head === undefined) throw new LinesideError('log-head-missing', { path: headPath(directory) });
    await mustExtend(directory, registry, epoch, head);
  }
}

/** The last checkpoint this station signed, in whatever epoch; undefined if there is none. @throws LinesideError `log-head-foreign`, `directory-unwritable` */
export async function readHead(directory: string, station: Verifier): Promise<SignedCheckpoint | undefined> {
  const path = headPath(directory);
  const note = await onHead(directory, () => readFileIfThere(path));
  if (note === undefined) return undefined;
  try {
    return { ...openAnyEpoch(note, station), note: note.toString() };
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new LinesideError('log-head-foreign', { path, reason: cause.message }, { cause });
  }
}

/** A checkpoint of this station that somebody else has kept. @throws LinesideError `log-unreadable` */
export async function readKeptHead(path: string, station: Verifier): Promise<SignedCheckpoint> {
  const note = (await readPlainFile(path, longestNote)) ?? Buffer.alloc(0);
  try {
    return { ...openAnyEpoch(note, station), note: note.toString() };
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    const reason = `it is no checkpoint of station ${station.name}: ${cause.message}`;
    throw new LinesideError('log-unreadable', { path, reason }, { cause });
  }
}

/** A checkpoint of this station, of the epoch that it names itself. @throws NoteError as `openCheckpoint` */
export function openAnyEpoch(note: Uint8Array, station: Verifier): Checkpoint {
  const origin = parseOrigin(noteText(note).split('\n')[0] ?? '');
  if (origin?.station !== station.name)
    throw new NoteError('name', `it is not of the log of station ${station.name}`);
  return openCheckpoint(note, logVerifier(station, origin.epoch));
}

async function mustExtend(
  directory: string,
  registry: Registry,
  epoch: number,
  head: Checkpoint,
): Promise<void> {
  const signed = epochOf(head);
  if (signed > epoch) throw rolledBack(`it is in epoch ${epoch}`, `epoch ${signed} was opened and signed`);
  if (signed < epoch) {
    const reason = `it is of epoch ${signed} and the registry is in epoch ${epoch}`;
    throw new LinesideError('log-head-foreign', { path: headPath(directory), reason });
  }
  const { size } = await registry.logPosition();
  if (size < head.size) throw rolledBack(`it has ${size} log entries`, `${head.size} were signed`);
  await mustBeginWith(registry, head);
}

/** Whether the log begins with what was signed, if it is as long. @throws LinesideError `log-rewritten` */
export async function mustBeginWith(registry: Registry, { size, root }: Checkpoint): Promise<void> {
  if ((await registry.logPosition()).size < size) return;
  if (!(await rootAt(registry, size)).equals(root)) throw new LinesideError('log-rewritten', { size });
}

export function epochOf({ origin }: Checkpoint): number {
  return parseOrigin(origin)?.epoch ?? 0;
}

function rolledBack(found: string, signed: string): LinesideError {
  return new LinesideError('log-rolled-back', { found, signed });
}

/** The root of the log's first `size` leaves. @throws LinesideError `log-rewritten` if nodes are gone */
export function rootAt(registry: Registry, size: number): Promise<Buffer> {
  return proofs.rootAt(nodesOf(registry), size);
}

/** The proof that the log at `size` begins with the log at `from`. @throws LinesideError `log-rewritten` */
export function consistencyProof(registry: Registry, from: number, size: number): Promise<Buffer[]> {
  return proofs.consistencyProof(nodesOf(registry), from, size);
}

/** The proof that leaf `index` is in the log at `size`. @throws LinesideError `log-rewritten` */
export function inclusionProof(registry: Registry, index: number, size: number): Promise<Buffer[]> {
  return proofs.inclusionProof(nodesOf(registry), index, size);
}

/**
 * Makes, one by one, a `.tlog-proof` that the certificate request of a unit was logged before the checkpoint. It throws
 * LinesideError `unit-not-logged`, `log-rewritten`.
 */
export function requestProver(
  registry: Registry,
  checkpoint: SignedCheckpoint,
): (id: DeviceId) => Promise<string> {
  const { size, note } = checkpoint;
  const read = remembering(nodesOf(registry));
  return async (id) => {
    const { n, leaf } = await requestLeaf(registry, id);
    if (n >= size) throw new LinesideError('unit-not-logged', { id });
    return formatProof({
      leaf,
      index: n,
      path: await proofs.inclusionProof(read, n, size),
      checkpoint: note,
    });
  };
}

/** As `requestProver`, under the last checkpoint if that covers the request, else under a new one. */
export async function proveRequest(
  directory: string,
  station: StationFile,
  registry: Registry,
  id: DeviceId,
): Promise<string> {
  const { n } = await requestLeaf(registry, id);
  const { verifier } = await readStationKey(directory, station.name);
  const last = await readHead(directory, verifier);
  const covering = last && n < last.size ? last : await makeCheckpoint(directory, station, registry);
  return requestProver(registry, covering)(id);
}

async function requestLeaf(registry: Registry, id: DeviceId): Promise<{ n: number; leaf: Uint8Array }> {
  const keyed = (await registry.leavesOf(id)).find(({ leaf }) => eventOf(leaf) === 'unit.keyed');
  if (keyed === undefined) throw new LinesideError('unit-not-logged', { id });
  return keyed;
}

function eventOf(leaf: Uint8Array): unknown {
  return JSON.parse(Buffer.from(leaf).toString()).ev;
}

function nodesOf(registry: Registry): proofs.ReadNode {
  return async (level, place) => {
    const [hash] = await registry.nodes(level, place, place + 1);
    if (hash === undefined) throw new LinesideError('log-rewritten', { size: place * 2 ** level });
    return hash;
  };
}

/** Many proofs go through the same few nodes near the root, and a node never changes. */
function remembering(read: proofs.ReadNode): proofs.ReadNode {
  const known = new Map<string, Buffer>();
  return async (level, place) => {
    const key = `${level}/${place}`;
    const hash = known.get(key) ?? (await read(level, place));
    known.set(key, hash);
    return hash;
  };
}

async function readFileIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

async function onHead<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new LinesideError(
      'directory-unwritable',
      { path: directory, reason: systemWords(cause) },
      { cause },
    );
  }
}
