import { join, resolve } from 'node:path';
import { LinesideError, systemCode } from './errors.ts';
import { keptHistory } from './kept-head.ts';
import type { Checkpoint } from './log/checkpoint.ts';
import { ExportSource } from './log/export-source.ts';
import { type Finding, type FindingCode, finding } from './log/finding.ts';
import { History } from './log/history/history.ts';
import { readPlainFile } from './log/plain-file.ts';
import { beginsWith, type Head, type LogSource, type Verdict, verifyLog } from './log/verify.ts';
import { NoteError, noteText, type NoteRule, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import { rowFindings } from './row-findings.ts';
import { openUnchecked, readStation } from './station-directory.ts';
import { epochOf, headPath, longestNote, openAnyEpoch, readKeptHead } from './station-log.ts';
import { RegistrySource } from './station-log-source.ts';
import { readStationKey } from './station-key.ts';

/** What was found out about a log. */
export interface Outcome extends Verdict {
  readonly origin: string;
  /** How many entries the checkpoint covers that they were held to. */
  readonly signed: number;
  /** The checkpoint itself, and its note, for whoever wants to keep it. */
  readonly head: Checkpoint & { readonly note: Buffer };
  /** How many entries were known already, and not read again. */
  readonly known: number;
}

/** What was found out although there was nothing to hold the entries to. */
export interface Refusal {
  readonly origin: null;
  readonly findings: readonly Finding[];
}

/** Looks at every entry that is read, for example to show those of one unit. */
export type Watch = (leaf: Uint8Array) => void;

/**
 * Verifies a log that `log export` wrote, with nothing but the verifier key of its station.
 * @param since a checkpoint that was kept: the log must extend it, and only what is new is read if it can be
 * @throws LinesideError `log-unreadable`, `log-of-another` if it cannot be verified
 */
export async function verifyExport(
  directory: string,
  station: Verifier,
  since?: string,
  watch: Watch = () => {},
): Promise<Outcome | Refusal> {
  const opened = await openHead(join(directory, 'checkpoint'), station);
  if ('code' in opened) return { origin: null, findings: [opened] };
  const head = { ...opened, differs: 'root-differs', short: 'log-cut' } as const;
  return judge(watched(new ExportSource(directory, opened.size), watch), station, head, since);
}

/**
 * Verifies the log in a station itself, against the last checkpoint that it signed, and its registry against the log.
 * @throws LinesideError `log-unreadable`, and those of opening a station
 */
export async function verifyStation(
  directory: string,
  since?: string,
  watch: Watch = () => {},
): Promise<Outcome | Refusal> {
  const file = await readStation(directory);
  const { verifier: station } = await readStationKey(resolve(directory), file.name);
  const registry = await openUnchecked(directory, file);
  try {
    const outcome = await verifyOpened(directory, registry, station, since, watch);
    if (outcome.origin === null) return outcome;
    if (outcome.findings.some(({ weight }) => weight === 'evidence')) return outcome;
    const rows = await rowFindings(registry, outcome.history.units);
    return { ...outcome, findings: [...outcome.findings, ...rows] };
  } finally {
    await registry.close();
  }
}

/** The log in the registry of a station by itself, against the last checkpoint that the station signed. */
async function verifyOpened(
  directory: string,
  registry: Registry,
  station: Verifier,
  since: string | undefined,
  watch: Watch,
): Promise<Outcome | Refusal> {
  const opened = await openHead(headPath(directory), station, 'head-missing');
  if ('code' in opened) return { origin: null, findings: [opened] };
  const behind = epochBehind((await registry.epoch()) ?? 1, opened);
  if (behind) return { origin: null, findings: [behind] };
  const head = { ...opened, differs: 'root-differs', short: 'rolled-back' } as const;
  return judge(watched(new RegistrySource(registry), watch), station, head, since);
}

/** What a log tells, and what is wrong with it, also if there is no checkpoint to hold it to. */
export interface Telling {
  readonly findings: readonly Finding[];
  readonly history: History;
}

/** Reads the log of an opened station to its end, whatever is wrong. @throws LinesideError `log-unreadable`, `log-of-another` */
export async function readThrough(
  directory: string,
  registry: Registry,
  station: Verifier,
  watch: Watch,
): Promise<Telling> {
  const outcome = await verifyOpened(directory, registry, station, undefined, watch);
  if (outcome.origin !== null) return outcome;
  const source = watched(new RegistrySource(registry), watch);
  const { findings, history } = await verifyLog(source, [], new History(station.name));
  return { findings: [...outcome.findings, ...findings], history };
}

async function judge(
  source: LogSource,
  station: Verifier,
  head: Head & Outcome['head'],
  since: string | undefined,
): Promise<Outcome> {
  const { origin, size: signed } = head;
  const result = (verdict: Verdict, known: number, more: readonly Finding[] = []): Outcome => {
    const { epoch } = verdict.history;
    const whole = verdict.findings.every(({ weight }) => weight === 'notice');
    const signedAs = epochOf(head);
    const epochs = whole && epoch !== signedAs ? [finding('epoch-differs', { epoch, signed: signedAs })] : [];
    const findings = [...more, ...epochs, ...verdict.findings];
    return { ...verdict, findings, origin, signed, head, known };
  };
  if (since === undefined) return result(await verifyLog(source, [head], new History(station.name)), 0);

  const kept = await readKeptHead(since, station);
  const behind = epochBehind(epochOf(head), kept);
  if (behind) return result(await verifyLog(source, [head], new History(station.name)), 0, [behind]);
  if (epochOf(kept) < epochOf(head)) {
    const verdict = await verifyLog(source, [head], new History(station.name));
    return result(verdict, 0, await acrossEpochs(source, verdict, kept));
  }
  const heads = [head, { ...kept, differs: 'forked', short: 'rolled-back' } as const];
  const history = await keptHistory(since, station.name, kept.root);
  if (history && kept.size <= head.size && (await beginsWith(source, kept)))
    return result(await verifyLog(source, [head], history), kept.size);
  return result(await verifyLog(source, heads, new History(station.name)), 0);
}

/** The log has left the epoch of the kept checkpoint: it must have all of it, or it tells what it has lost. */
async function acrossEpochs(source: LogSource, { findings }: Verdict, kept: Checkpoint): Promise<Finding[]> {
  const left = findings.find(
    ({ code, facts }) => code === 'epoch-opened' && Number(facts['epoch']) > epochOf(kept),
  );
  const from = Number(left?.facts['n'] ?? kept.size);
  if (left && from < kept.size) {
    const { epoch = 0, reason = '' } = left.facts;
    return [finding('entries-lost', { from, to: kept.size - 1, epoch, reason })];
  }
  return (await beginsWith(source, kept)) ? [] : [finding('forked', { signed: kept.size })];
}

function epochBehind(epoch: number, signed: Checkpoint): Finding | undefined {
  return epoch < epochOf(signed) ? finding('epoch-behind', { epoch, signed: epochOf(signed) }) : undefined;
}

const noteFindings: Partial<Record<NoteRule, FindingCode>> = {
  malformed: 'checkpoint-form',
  signature: 'checkpoint-signature',
  'unknown-signer': 'checkpoint-signer',
};

/** The checkpoint the log came with, or what is wrong with it. @param missing what it means that there is none */
async function openHead(
  path: string,
  station: Verifier,
  missing?: FindingCode,
): Promise<Outcome['head'] | Finding> {
  const note = await readNote(path).catch((error: unknown) => {
    const isGone = error instanceof LinesideError && systemCode(error.cause) === 'ENOENT';
    if (missing === undefined || !isGone) throw error;
    return null;
  });
  if (note === null) return finding(missing ?? 'checkpoint-form');
  if (note === undefined) return finding('checkpoint-form');
  try {
    return { ...openAnyEpoch(note, station), note };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    const code = noteFindings[error.rule];
    if (code) return finding(code);
    throw new LinesideError(
      'log-of-another',
      { found: originIn(note), station: station.name },
      { cause: error },
    );
  }
}

function originIn(note: Uint8Array): string {
  return noteText(note).split('\n')[0] ?? '';
}

function readNote(path: string): Promise<Buffer | undefined> {
  return readPlainFile(path, longestNote);
}

function watched(source: LogSource, watch: Watch): LogSource {
  return {
    readNode: source.readNode,
    differing: (nodes) => source.differing(nodes),
    where: (place) => source.where(place),
    async *pages(from) {
      for await (const page of source.pages(from)) {
        if (!('code' in page)) page.leaves.forEach((leaf) => watch(leaf));
        yield page;
      }
    },
  };
}
