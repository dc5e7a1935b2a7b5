import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What the kernel says of a process that is not ours to ask. */
export interface Process {
  readonly pid: number;
  readonly argv: readonly string[];
}

/** All processes that `pid` started, and those they started. */
export function descendants(pid: number): Process[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? read(`/proc/${name}/stat`) : '';
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const of = (parent: number): number[] =>
    [...parents].filter(([, each]) => each === parent).flatMap(([child]) => [child, ...of(child)]);
  return of(pid).map((child) => ({ pid: child, argv: strings(`/proc/${child}/cmdline`) }));
}

/** The one process below `pid` whose command line has a word that ends so. */
export function descendant(pid: number, ending: string): Process {
  const found = descendants(pid).filter(({ argv }) => argv.some((word) => word.endsWith(ending)));
  if (!found[0] || found.length > 1) throw new Error(`${found.length} processes of ${pid} are ${ending}`);
  return found[0];
}

/** The environment a process was started with. */
export function environmentOf(pid: number): Record<string, string> {
  const pairs = strings(`/proc/${pid}/environ`).map((pair) => /^([^=]*)=(.*)$/s.exec(pair));
  return Object.fromEntries(pairs.map((match) => [match?.[1] ?? '', match?.[2] ?? '']));
}

/** The soft and the hard limit of core files. */
export function coreLimit(pid: number): string {
  const line = /^Max core file size +(\S+) +(\S+)/m.exec(read(`/proc/${pid}/limits`));
  return `${line?.[1]} ${line?.[2]}`;
}

/** TCP ports the process itself listens on, over IPv4 and IPv6. */
export function listeningPorts(pid: number): number[] {
  const inodes = new Set(openFiles(pid).map((file) => /^socket:\[(\d+)\]$/.exec(file)?.[1]));
  const rows = ['tcp', 'tcp6'].flatMap((table) => read(`/proc/${pid}/net/${table}`).split('\n').slice(1));
  const columns = rows.map((row) => row.trim().split(/\s+/));
  const listening = columns.filter((column) => column[3] === '0A' && inodes.has(column[9]));
  return listening.map((column) => Number.parseInt(column[1]?.split(':')[1] ?? '', 16));
}

/** Waits until the process has ended. Nobody is told of the end of a process that is not his child: it is asked. */
export async function ended(pid: number, withinMs: number): Promise<boolean> {
  const limit = Date.now() + withinMs;
  while (isAlive(pid) && Date.now() < limit) await delay(5);
  return !isAlive(pid);
}

export function isAlive(pid: number): boolean {
  return /^\d+ \(.*\) [^ZX]/s.test(read(`/proc/${pid}/stat`));
}

function openFiles(pid: number): string[] {
  return existsSync(`/proc/${pid}/fd`) ? readdirSync(`/proc/${pid}/fd`).map((fd) => link(pid, fd)) : [];
}

function link(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return 'closed meanwhile';
  }
}

function strings(path: string): string[] {
  return read(path).split('\0').slice(0, -1);
}

/** Empty if the process is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
