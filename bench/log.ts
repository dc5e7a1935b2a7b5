import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceIdFromNumber, unitStates } from '../src/device.ts';
import { keepHead } from '../src/kept-head.ts';
import { logSigner, signCheckpoint } from '../src/log/checkpoint.ts';
import { History } from '../src/log/history/history.ts';
import { encodeLeaf, readLeaf } from '../src/log/leaf.ts';
import { grow, rootOf, type TreeNode } from '../src/log/merkle.ts';
import { formatBundle, tileHeight, tilePath, tilesOf, tileWidth } from '../src/log/tiles.ts';
import { type Outcome, type Refusal, verifyExport } from '../src/log-verify.ts';
import { makeSigner } from '../src/note.ts';

/*
 * How long QA waits: a log of a million entries verified whole, and then 10,000 new ones after a head that was kept,
 * each beside plain SHA-256 over the same entries in the same run.
 */

type Event = Readonly<Record<string, string | number | boolean | null>>;

const signer = makeSigner('st07');
const unitsInBatch = 1000;

/** An export of a station's log that goes on: the life of 1,000 units, batch after batch. */
class Log {
  readonly directory: string;
  readonly #entries: Buffer[] = [];
  readonly #levels: Buffer[][] = [];
  readonly #edge: TreeNode[] = [];
  readonly #history = new History('st07');
  readonly #encode: ReturnType<typeof encodeLeaf>;
  #time = Date.UTC(2026, 0, 1);

  constructor(directory: string) {
    this.directory = directory;
    const boot = { id: randomUUID(), seconds: () => this.#time / 1000 };
    this.#encode = encodeLeaf({ station: 'st07', sw: '0.1.0', boot });
    this.#add({ ev: 'station.init', chip: 'nrf52840' });
    this.#add({ ev: 'lease.accept', lease: '00000001-00FFFFFF' });
  }

  get size(): number {
    return this.#entries.length;
  }

  async growTo(size: number): Promise<void> {
    while (this.size < size) this.#batch();
    const counts = unitStates.map((state) => [state, this.#history.units.count(state)]);
    const next = deviceIdFromNumber(this.#history.units.size + 1);
    this.#add({ ev: 'seal', ...Object.fromEntries(counts), digest: this.#history.units.digest(), next });
    await this.#write();
  }

  #batch(): void {
    const first = this.#history.units.size + 1;
    const batch = Math.ceil(first / unitsInBatch);
    const ids = Array.from({ length: unitsInBatch }, (_, at) => deviceIdFromNumber(first + at));
    const manifest = sha256(`batch ${batch}`);
    for (const id of ids) this.#makeUnit(id);
    this.#add({ ev: 'export.batch', batch, manifest });
    for (const id of ids) this.#step(id, 'verified', 'exported', { batch });
    this.#add({ ev: 'export.written', batch });
    this.#add({ ev: 'import.batch', batch, manifest });
    for (const id of ids)
      this.#step(id, 'exported', 'certified', { batch, cert: sha256(`certificate ${id}`), generation: 1 });
    for (const id of ids) this.#step(id, 'certified', 'installed', { generation: 1 });
  }

  #makeUnit(id: string): void {
    this.#add({ ev: 'unit.reserved', id, to: 'reserved' });
    this.#step(id, 'reserved', 'keyed', { csr: sha256(`request ${id}`), spki: sha256(`key ${id}`) });
    this.#step(id, 'keyed', 'flashing', { uid: `7E23D160${id}`, probe: 'a', fw: sha256('firmware') });
    this.#step(id, 'flashing', 'flashed', {});
    this.#step(id, 'flashed', 'verified', { proof: 'read-back', locked: true });
  }

  #step(id: string, from: string, to: string, more: Event): void {
    this.#add({ ev: `unit.${to}`, id, from, to, ...more });
  }

  #add(event: Event): void {
    this.#time += 100;
    const previous = this.#entries.at(-1);
    const t = new Date(this.#time).toISOString();
    const leaf = Buffer.from(this.#encode({ ...event, t }, this.size, previous ? digest(previous) : null));
    const read = readLeaf(leaf);
    if (read) this.#history.see(read, digest(leaf).toString('hex'));
    this.#entries.push(leaf);
    for (const { level, hash } of grow(this.#edge, leaf)) (this.#levels[level] ??= []).push(hash);
  }

  async #write(): Promise<void> {
    for (const place of tilesOf(this.size)) {
      const { level, index, width } = place;
      const [from, to] = [index * tileWidth, index * tileWidth + width];
      const path = join(this.directory, tilePath(place));
      await mkdir(dirname(path), { recursive: true });
      if (level === 'entries') await writeFile(path, formatBundle(this.#entries.slice(from, to)));
      else await writeFile(path, Buffer.concat((this.#levels[level * tileHeight] ?? []).slice(from, to)));
    }
    const checkpoint = { origin: 'lineside/st07/1', size: this.size, root: rootOf(this.#edge) };
    await writeFile(join(this.directory, 'checkpoint'), signCheckpoint(checkpoint, logSigner(signer, 1)));
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function sha256(text: string): string {
  return digest(Buffer.from(text)).toString('hex');
}

/** Plain SHA-256 over the bundles that hold the entries from `from` on. */
async function hashed(log: Log, from: number): Promise<number> {
  const start = performance.now();
  for (const place of tilesOf(log.size))
    if (place.level === 'entries' && place.index >= Math.floor(from / tileWidth))
      digest(await readFile(join(log.directory, tilePath(place))));
  return performance.now() - start;
}

async function verified(log: Log, since?: string): Promise<{ outcome: Outcome; ms: number }> {
  const start = performance.now();
  const outcome: Outcome | Refusal = await verifyExport(log.directory, signer.verifier, since);
  const ms = performance.now() - start;
  if (outcome.origin === null || outcome.findings.length > 0) throw new Error('an untouched log was accused');
  return { outcome, ms };
}

function report(what: string, entries: number, ms: number, plain: number): void {
  const rate = Math.round((entries / ms) * 1000);
  console.log(
    `${what}: ${entries} entries in ${(ms / 1000).toFixed(2)} s, ${rate} a second, ` +
      `${(ms / plain).toFixed(1)} times plain SHA-256 (${(plain / 1000).toFixed(2)} s)`,
  );
}

const [entries = 1_000_000, more = 10_000] = process.argv.slice(2).map(Number);
const workshop = await mkdtemp(join(tmpdir(), 'lineside-bench-'));
try {
  const log = new Log(join(workshop, 'log'));
  const head = join(workshop, 'head');
  await log.growTo(entries);
  const whole = await verified(log);
  report('all of it', log.size, whole.ms, await hashed(log, 0));
  await keepHead(head, whole.outcome.head.note.toString(), whole.outcome.root, whole.outcome.history);

  const before = log.size;
  await log.growTo(before + more);
  const rest = await verified(log, head);
  report('what is new', log.size - rest.outcome.known, rest.ms, await hashed(log, before));
} finally {
  await rm(workshop, { recursive: true });
}
