import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import type { KeyScanner } from './key-scanner.ts';

/** Part of the memory of a process. */
interface Piece {
  readonly mapping: string;
  /** Valid until the next piece is asked for. */
  readonly bytes: Buffer;
}

export interface Search {
  /** `<owner>: <form> in <mapping>` of all that was found. */
  readonly found: readonly string[];
  readonly scannedBytes: number;
}

interface Mapping {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const pageLength = 4096;
const pieceLength = 1 << 20;

/** Looks for keys in all memory that the process can read: heap, stacks, anonymous, files. */
export function searchMemory(pid: number, scanner: KeyScanner): Search {
  return whileStopped(pid, () => {
    const found = new Set<string>();
    let scannedBytes = 0;
    for (const { mapping, bytes } of memoryOf(pid, scanner.overlap)) {
      scannedBytes += bytes.length;
      for (const label of scanner.search(bytes)) found.add(`${label} in ${mapping}`);
    }
    return { found: [...found], scannedBytes };
  });
}

/** Looks at a process that does not move meanwhile: every thread of it is stopped. */
function whileStopped<T>(pid: number, look: () => T): T {
  process.kill(pid, 'SIGSTOP');
  try {
    const limit = Date.now() + 5000;
    while (!isStopped(pid)) if (Date.now() > limit) throw new Error(`${pid} does not stop`);
    return look();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** PKCS#8 of a P-256 key (RFC 5958, RFC 5915) up to the scalar and after it: found before anything is known of it. */
const pkcs8Head = Buffer.from(
  '308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420',
  'hex',
);
const pkcs8Middle = Buffer.from('a144034200', 'hex');
const pkcs8Length = 138;

/** The private keys that the process holds as PKCS#8. */
export function heldKeys(pid: number): Buffer[] {
  return whileStopped(pid, () => {
    const keys = new Map<string, Buffer>();
    for (const { bytes } of memoryOf(pid, pkcs8Length)) {
      for (const key of pkcs8Keys(bytes)) keys.set(key.toString('hex'), key);
    }
    return [...keys.values()];
  });
}

function pkcs8Keys(bytes: Buffer): Buffer[] {
  const keys: Buffer[] = [];
  for (let at = bytes.indexOf(pkcs8Head); at !== -1; at = bytes.indexOf(pkcs8Head, at + 1)) {
    const scalar = at + pkcs8Head.length;
    const after = bytes.subarray(scalar + 32, scalar + 32 + pkcs8Middle.length);
    if (after.equals(pkcs8Middle)) keys.push(Buffer.from(bytes.subarray(scalar, scalar + 32)));
  }
  return keys;
}

function* memoryOf(pid: number, overlap: number): Generator<Piece> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const room = Buffer.from(new ArrayBuffer(pieceLength));
  try {
    for (const { name, from, to } of mappings(pid).flatMap((mapping) => inMemory(pid, mapping))) {
      for (let address = from; address < to; address += pieceLength - overlap) {
        const length = readSync(memory, room, 0, Math.min(pieceLength, to - address), address);
        yield { mapping: name, bytes: room.subarray(0, length) };
      }
    }
  } finally {
    closeSync(memory);
  }
}

/** Readable mappings. Those of the kernel's own clock pages cannot be read through /proc. */
function mappings(pid: number): Mapping[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return lines.flatMap((line) => {
    const [, from, to, path = ''] = /^(\w+)-(\w+) r\S+ \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (from === undefined || to === undefined || /^\[(vvar|vsyscall)/.test(path)) return [];
    const name = path === '' ? 'anonymous memory' : path;
    return [{ name, from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }];
  });
}

/** The parts of a mapping that have pages, in memory or swapped out; the rest was never written to (pagemap, proc(5)). */
function inMemory(pid: number, { name, from, to }: Mapping): Mapping[] {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const entries = Buffer.alloc(((to - from) / pageLength) * 8);
  const length = readSync(pagemap, entries, 0, entries.length, (from / pageLength) * 8);
  closeSync(pagemap);
  const parts: { name: string; from: number; to: number }[] = [];
  for (let at = 0; at < length; at += 8) {
    const presentOrSwapped = ((entries[at + 7] ?? 0) & 0xc0) !== 0;
    if (!presentOrSwapped) continue;
    const page = from + (at / 8) * pageLength;
    const last = parts.at(-1);
    if (last?.to === page) last.to += pageLength;
    else parts.push({ name, from: page, to: page + pageLength });
  }
  return parts;
}

/** A process that is about to end is as still as one that is stopped, and has no memory any more. */
function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) =>
    /^\d+ \(.*\) [TZX]/s.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
  );
}
