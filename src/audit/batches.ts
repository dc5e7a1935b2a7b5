import { createHash } from 'node:crypto';
import { type Manifest, parseManifest } from '../batch/manifest.ts';
import { noBatch } from '../batch/place.ts';
import { type Chain, verifyChain } from '../certificate.ts';
import { LinesideError } from '../errors.ts';
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.ts';
import { cosignaturesOn, witnessVerifier } from '../log/cosignature.ts';
import { NoteError, readNote, type Verifier } from '../note.ts';
import { formatPem, parsePem } from '../pem.ts';
import type { Direction } from '../registry/batch.ts';
import type { BatchRow, Evidence } from '../registry/sqlite/evidence.ts';
import { type Finding, type FindingCode, found } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

/** A batch from the CA. */
interface Incoming {
  /** SHA-256 of the manifest of the requests it answers, null if it came unasked. */
  readonly answers: string | null;
  readonly generation: number;
  /** Undefined if it does not hold. */
  readonly chain: Chain | undefined;
}

/** What is asked of a batch when its units are audited. */
export interface BatchFacts {
  readonly incoming: ReadonlyMap<number, Incoming>;
  /** Those to the CA: SHA-256 of the manifest. */
  readonly outgoing: ReadonlyMap<number, string>;
}

/** Whom the batches are from and to. */
export interface Parties {
  readonly station: string;
  /** Opens a checkpoint of the station's own; undefined if its key is not at hand. */
  readonly openOwn: ((note: Uint8Array) => Checkpoint) | undefined;
  /** Every CA that was trusted. */
  readonly authorities: readonly Verifier[];
  /** Root of the log's first leaves; undefined if it has fewer. */
  readonly rootAt: (size: number) => Promise<Buffer | undefined>;
}

/** How far a CA has signed that it has seen the log. */
export interface Witnessed {
  readonly size: number;
  readonly at: Date;
}

/** Written beside their list of files. */
const withoutBytes = ['requests.pem', 'certificates.pem'];

export class BatchAudit implements BatchFacts {
  readonly incoming = new Map<number, Incoming>();
  readonly outgoing = new Map<number, string>();
  witnessed: Witnessed | undefined;
  readonly #evidence: Evidence;
  readonly #log: LogFacts;
  readonly #parties: Parties;

  constructor(evidence: Evidence, log: LogFacts, parties: Parties) {
    this.#evidence = evidence;
    this.#log = log;
    this.#parties = parties;
  }

  get count(): number {
    return this.incoming.size + this.outgoing.size;
  }

  /** Every batch on record, each by the one before it, by its manifest and by the log; then what the log knows besides. */
  async *see(): AsyncGenerator<Finding> {
    const last = { out: { sequence: 0, sha256: noBatch }, in: { sequence: 0, sha256: noBatch } };
    const seen = new Set<string>();
    for await (const rows of this.#evidence.batches())
      for (const row of rows) {
        yield* this.#judge(row, last[row.direction]);
        last[row.direction] = row;
        seen.add(`${row.direction} ${row.sequence}`);
      }
    for (const { direction, sequence } of this.#log.batches())
      if (!seen.has(`${direction} ${sequence}`)) yield about({ direction, sequence }, 'batch-missing');
  }

  async *#judge(
    row: BatchRow,
    before: { readonly sequence: number; readonly sha256: string },
  ): AsyncGenerator<Finding> {
    const { direction, sequence, sha256, previous } = row;
    yield* this.#againstLog(row);
    if (sequence !== before.sequence + 1 || previous !== before.sha256)
      yield differs(row, 'place', 'batch before it');
    if (createHash('sha256').update(row.manifest).digest('hex') !== sha256)
      yield differs(row, 'hash', 'manifest');
    const manifest = manifestOf(row);
    if (direction === 'out') this.outgoing.set(sequence, sha256);
    if (manifest === undefined) yield differs(row, 'form', 'rule for manifests');
    else yield* this.#byManifest(row, manifest, await this.#evidence.filesOf(direction, sequence));
  }

  *#againstLog(row: BatchRow): Generator<Finding> {
    const logged = this.#log.batch(row.direction, row.sequence);
    if (logged === undefined) yield about(row, 'batch-unlogged');
    else {
      if (logged.manifest !== row.sha256) yield differs(row, 'hash', 'log');
      if (logged.at !== row.at || logged.written !== row.written) yield differs(row, 'time', 'log');
    }
  }

  async *#byManifest(row: BatchRow, manifest: Numbered, files: Files): AsyncGenerator<Finding> {
    const { station, sequence, previous, authority } = manifest;
    if (station !== this.#parties.station || sequence !== row.sequence || previous !== row.previous)
      yield differs(row, 'place', 'manifest');
    if (!this.#parties.authorities.some(({ name, hash }) => `${name}+${hash}` === authority))
      yield about(row, 'batch-foreign', { authority });
    for (const { name, length, sha256 } of manifest.files) {
      const bytes = files.get(name);
      if (bytes === undefined ? !withoutBytes.includes(name) : !isContent(bytes, length, sha256))
        yield differs(row, name, 'manifest');
      if (name === 'requests.pem' && !(await this.#areRequests(row.sequence, length, sha256)))
        yield differs(row, name, 'manifest');
    }
    for (const name of files.keys())
      if (!manifest.files.some((file) => file.name === name)) yield differs(row, name, 'manifest');
    const checkpoint = files.get('checkpoint');
    if (checkpoint) yield* this.#byCheckpoint(row, checkpoint);
    if (manifest.kind === 'certificates') yield* this.#takeIn(row, manifest, files.get('chain.pem'));
  }

  *#takeIn(
    row: BatchRow,
    { answers, generation }: Pick<Incoming, 'answers' | 'generation'>,
    pem: Buffer | undefined,
  ) {
    try {
      const chain = verifyChain(parsePem('CERTIFICATE', pem?.toString('latin1') ?? '') ?? []);
      this.incoming.set(row.sequence, { answers, generation, chain });
    } catch (error) {
      if (!(error instanceof LinesideError)) throw error;
      this.incoming.set(row.sequence, { answers, generation, chain: undefined });
      yield about(row, 'chain-bad', { rule: String(error.facts['rule']) });
    }
  }

  /** The requests of the units of a batch, as they are on record, must be those that went. */
  async #areRequests(sequence: number, length: number, sha256: string): Promise<boolean> {
    const hash = createHash('sha256');
    let total = 0;
    for await (const requests of this.#evidence.requestsOf(sequence)) {
      const pem = requests.map((der) => formatPem('CERTIFICATE REQUEST', der)).join('');
      total += pem.length;
      hash.update(pem);
    }
    return total === length && hash.digest('hex') === sha256;
  }

  async *#byCheckpoint(row: BatchRow, note: Buffer): AsyncGenerator<Finding> {
    try {
      const { size, root } = row.direction === 'out' ? this.#own(note) : this.#cosigned(note);
      const here = await this.#parties.rootAt(size);
      if (here?.equals(root) === true) return;
      const problem = here ? `its first ${size} entries are others` : `it has ${size} entries`;
      yield about(row, 'checkpoint-differs', { problem });
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      yield about(row, 'checkpoint-differs', { problem: error.message });
    }
  }

  /** @throws NoteError */
  #own(note: Buffer): Checkpoint {
    return (this.#parties.openOwn ?? unopened)(note);
  }

  /** @throws NoteError */
  #cosigned(note: Buffer): Checkpoint {
    const { text, held } = readNote(note, this.#parties.authorities.map(witnessVerifier));
    const checkpoint = parseCheckpoint(text);
    for (const { time } of cosignaturesOn({ ...checkpoint, held }))
      if (checkpoint.size >= (this.witnessed?.size ?? 0))
        this.witnessed = { size: checkpoint.size, at: time };
    return checkpoint;
  }
}

/** What it says, if nobody can tell who signed it. @throws NoteError */
function unopened(note: Uint8Array): Checkpoint {
  const text = Buffer.from(note).toString();
  return parseCheckpoint(text.slice(0, text.indexOf('\n\n') + 1));
}

type Numbered = Exclude<Manifest, { readonly kind: 'fleet' }>;

function manifestOf({ direction, manifest }: BatchRow): Numbered | undefined {
  try {
    const parsed = parseManifest(manifest);
    const kind = direction === 'out' ? 'requests' : 'certificates';
    return parsed.kind === kind ? parsed : undefined;
  } catch (error) {
    if (error instanceof LinesideError) return undefined;
    throw error;
  }
}

function isContent(bytes: Buffer, length: number, sha256: string): boolean {
  return bytes.length === length && createHash('sha256').update(bytes).digest('hex') === sha256;
}

type Files = ReadonlyMap<string, Buffer>;
type Place = Pick<BatchRow, 'direction' | 'sequence'>;

function differs(place: Place, what: string, source: string): Finding {
  return about(place, 'batch-differs', { what, source });
}

function about(
  { direction, sequence }: Place,
  code: FindingCode,
  facts: Readonly<Record<string, string>> = {},
): Finding {
  const words: Record<Direction, string> = { out: 'to the CA', in: 'from the CA' };
  return found(
    code,
    { kind: 'batch', direction, sequence },
    { sequence, direction: words[direction], ...facts },
  );
}
