import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BatchAudit, type Parties } from './audit/batches.ts';
import { auditDuplicates } from './audit/duplicates.ts';
import { type HeldFile, holdFiles } from './audit/files.ts';
import { type Finding, found, station } from './audit/finding.ts';
import { auditAuthorities, auditStationFiles, authoritiesOf } from './audit/identity.ts';
import { KnownValues } from './audit/key-scan/known-values.ts';
import { KeyAudit } from './audit/keys.ts';
import { auditLeases } from './audit/leases.ts';
import { byLog, hashesIn, LogFacts } from './audit/log-facts.ts';
import { scanFiles } from './audit/scan-files.ts';
import { auditSchema, auditSoundness } from './audit/schema.ts';
import { auditUnits } from './audit/units.ts';
import { auditWitness } from './audit/witness.ts';
import type { StationFile } from './config.ts';
import { LinesideError, systemCode } from './errors.ts';
import { readThrough } from './log-verify.ts';
import { formatPrivateKey, type Signer, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import { type Evidence, schemaAsMade } from './registry/sqlite/evidence.ts';
import { openForAudit, readStation } from './station-directory.ts';
import { readStationKey } from './station-key.ts';
import { openAnyEpoch, rootAt } from './station-log.ts';
import { readVerifierFile } from './verifier-file.ts';

/** How much was looked at. */
export interface Checked {
  entries: number;
  units: number;
  requests: number;
  certificates: number;
  leases: number;
  batches: number;
  files: number;
  bytes: number;
}

export interface Audit {
  /** Grows as the findings are read. */
  readonly checked: Readonly<Checked>;
  readonly findings: AsyncIterable<Finding>;
}

/** How far a step has come: log entries, units, or bytes of files. */
export type Progress = (step: 'log' | 'units' | 'files', done: number) => void;

/**
 * Holds everything a station has on record to everything else it has on record, and looks through all its files for
 * private keys. Nothing is believed and nothing is changed. What is wrong comes out as it is found.
 * @throws LinesideError from the findings, if the station cannot be read: `station-…`, `registry-…`
 */
export function auditStation(directory: string, now: Date, progress: Progress): Audit {
  const checked = {
    entries: 0,
    units: 0,
    requests: 0,
    certificates: 0,
    leases: 0,
    batches: 0,
    files: 0,
    bytes: 0,
  };
  return { checked, findings: findings(resolve(directory), now, checked, progress) };
}

async function* findings(
  directory: string,
  now: Date,
  checked: Checked,
  progress: Progress,
): AsyncGenerator<Finding> {
  const file = await readStation(directory);
  const { files, findings } = await holdFiles(directory);
  try {
    yield* findings;
    const opened = await openForAudit(directory, file);
    try {
      yield* story({ directory, file, files, ...opened }, now, checked, progress);
    } catch (error) {
      if (!isBrokenSchema(error)) throw error;
      yield found('audit-cut-short', station, { problem: error.message });
    } finally {
      await opened.registry.close();
    }
  } finally {
    for (const { handle } of files) await handle.close();
  }
}

/** A table or a column that is asked is not there: that the schema is another has been said. */
function isBrokenSchema(error: unknown): error is LinesideError {
  return error instanceof LinesideError && systemCode(error.cause) === 'SQLITE_ERROR';
}

interface Opened {
  readonly directory: string;
  readonly file: StationFile;
  readonly files: readonly HeldFile[];
  readonly registry: Registry;
  readonly evidence: Evidence;
}

async function* story(
  opened: Opened,
  now: Date,
  checked: Checked,
  progress: Progress,
): AsyncGenerator<Finding> {
  const { directory, file, files, registry, evidence } = opened;
  const known = new KnownValues(5 * (await registry.logPosition()).size);

  yield* auditSoundness(evidence);
  yield* auditSchema(evidence, await schemaAsMade());

  const { signer, verifier, problems } = await keyOf(directory, file);
  yield* problems;
  const log = new LogFacts();
  const { history, findings } = await readThrough(directory, registry, verifier, (leaf) => {
    log.see(leaf);
    for (const hash of hashesIn(leaf)) known.add(hash);
    if (log.size % 10_000 === 0) progress('log', log.size);
  });
  yield* findings.map(byLog);
  await knowNodes(registry, known);
  checked.entries = log.size;

  const batches = new BatchAudit(evidence, log, await partiesOf(opened, signer?.verifier));
  yield* batches.see();
  checked.batches = batches.count;

  const leases = await evidence.leases();
  yield* auditLeases(evidence, log, leases);
  checked.leases = leases.length;

  const keys = new KeyAudit(known);
  const told = history.size === log.size ? history.units : undefined;
  yield* auditUnits(evidence, { told, log, batches, leases, keys }, (units, certificates) => {
    checked.units += units.length;
    checked.requests += units.filter(({ csr }) => csr !== null).length;
    checked.certificates += certificates.length;
    if (checked.units % 5000 === 0) progress('units', checked.units);
  });
  yield* keys.shared(evidence);
  yield* auditDuplicates(evidence);

  yield* auditAuthorities(evidence, log);
  const vkey = await readFile(join(directory, 'station.vkey'), 'utf8').catch(() => undefined);
  yield* auditStationFiles(file, { private: signer?.verifier, public: vkey }, log);
  yield* auditWitness(log, batches.witnessed, now);

  let shown = 0;
  const ownKey = signer && formatPrivateKey(signer);
  yield* scanFiles(
    files,
    known,
    ownKey,
    (spki) => evidence.unitOfKey(spki),
    (bytes) => {
      checked.bytes += bytes;
      if (checked.bytes - shown >= 64e6) progress('files', (shown = checked.bytes));
    },
  );
  checked.files = files.length;
}

/** The station's key; if that is not at hand, what others check its signatures with. */
async function keyOf(
  directory: string,
  { name }: StationFile,
): Promise<{ signer: Signer | undefined; verifier: Verifier; problems: Finding[] }> {
  try {
    const signer = await readStationKey(directory, name);
    return { signer, verifier: signer.verifier, problems: [] };
  } catch (error) {
    if (!(error instanceof LinesideError)) throw error;
    const verifier = await readVerifierFile(directory, 'station.vkey').catch(() => {
      throw error;
    });
    const problems = [found('station-key-unusable', station, { problem: error.message })];
    return { signer: undefined, verifier, problems };
  }
}

/** Every hash of the log's tree is known from here on. */
async function knowNodes(registry: Registry, known: KnownValues): Promise<void> {
  const atOnce = 1000;
  for (let level = 0; ; level += 1)
    for (let place = 0; ; place += atOnce) {
      const nodes = await registry.nodes(level, place, place + atOnce);
      for (const hash of nodes) known.add(hash);
      if (place === 0 && nodes.length === 0) return;
      if (nodes.length < atOnce) break;
    }
}

async function partiesOf({ file, registry, evidence }: Opened, own: Verifier | undefined): Promise<Parties> {
  return {
    station: file.name,
    openOwn: own && ((note) => openAnyEpoch(note, own)),
    authorities: await authoritiesOf(evidence),
    rootAt: (size) =>
      rootAt(registry, size).catch((error: unknown) => {
        if (error instanceof LinesideError && error.code === 'log-rewritten') return undefined;
        throw error;
      }),
  };
}
