import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One system call, as strace saw it. */
export interface SystemCall {
  readonly name: string;
  /** The whole line, its strings in hexadecimal. */
  readonly line: string;
  /** What the call acts on: the path, socket or pipe behind its descriptor; the file for `open`; else its own name. */
  readonly target: string;
  /** All bytes it gives to the kernel: what is written, paths, arguments, environments. */
  readonly strings: readonly Buffer[];
}

/** Calls that give the kernel no bytes but numbers. Everything else is traced, so a call unknown here is too. */
const quiet =
  'read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg,futex,mprotect,munmap,mremap,madvise,brk,close,poll,' +
  'ppoll,select,pselect6,epoll_wait,epoll_pwait,epoll_ctl,clock_gettime,clock_nanosleep,newfstatat,fstat,statx,' +
  'lseek,getdents64,access,faccessat2,readlink,rt_sigaction,rt_sigprocmask,sched_yield,getpid,gettid';

/** The command that traces what is put behind it, with all threads and children, into `directory`. */
export function strace(directory: string): [string, ...string[]] {
  const everyByte = ['-xx', '-v', '-s', String(1 << 24)];
  return ['strace', '-ff', '-yy', ...everyByte, '-e', `trace=!${quiet}`, '-o', join(directory, 'thread')];
}

/** Reads what `strace` left, thread by thread. */
export async function systemCalls(directory: string): Promise<SystemCall[]> {
  const threads = (await readdir(directory)).filter((name) => name.startsWith('thread.')).sort();
  const texts = await Promise.all(threads.map((name) => readFile(join(directory, name), 'latin1')));
  return texts.flatMap((text) => text.split('\n').filter(isCall).map(parseCall));
}

/** All bytes that went to each target, so that a key in several writes is seen as one. */
export function bytesByTarget(calls: readonly SystemCall[]): Map<string, Buffer> {
  const parts = new Map<string, Buffer[]>();
  for (const { target, strings } of calls) {
    const others = parts.get(target);
    if (others) others.push(...strings);
    else parts.set(target, [...strings]);
  }
  return new Map([...parts].map(([target, each]) => [target, Buffer.concat(each)]));
}

/** Every file that was made, opened for writing, written, renamed or removed, or that somebody tried to. */
export function filesChanged(calls: readonly SystemCall[]): string[] {
  return [...new Set(calls.flatMap(changedBy))].sort();
}

function changedBy({ name, line, target, strings }: SystemCall): string[] {
  const named = /^(rename|link|symlink|mkdir|mknod|truncate|unlink|rmdir|l?chown|chmod|fchmodat|l?setxattr)/;
  if (named.test(name)) return strings.map(String);
  const opens = /^(open|creat)/.test(name) && /creat|O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)/.test(line);
  const writes = /^(p?write|ftruncate|fallocate|fchown|fchmod|fsetxattr)/.test(name);
  return (opens || writes) && target.startsWith('/') ? [target] : [];
}

/** Ways to move bytes that a trace of system calls does not show. */
export function unseenChannels(calls: readonly SystemCall[]): string[] {
  const names =
    /^(io_uring_|memfd_|shmget|shmat|mq_|msgsnd|v?splice|tee|sendfile|copy_file_range|process_vm_|ptrace|keyctl|add_key|bpf|pidfd_getfd|userfaultfd)/;
  const unseen = calls.filter(
    ({ name, line }) =>
      names.test(name) || (name === 'mmap' && /PROT_WRITE/.test(line) && /MAP_SHARED/.test(line)),
  );
  return [...new Set(unseen.map(({ name }) => name))].sort();
}

function isCall(line: string): boolean {
  return line !== '' && !line.startsWith('+++') && !line.startsWith('---');
}

function parseCall(line: string): SystemCall {
  const name = /^\w+(?=\()/.exec(line)?.[0];
  if (name === undefined || /"\.\.\./.test(line)) throw new Error(`not understood: ${line.slice(0, 200)}`);
  const strings = [...line.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => unescape(hex));
  return { name, line, target: targetOf(name, line, strings), strings };
}

function targetOf(name: string, line: string, strings: readonly Buffer[]): string {
  const opened = /^(open|creat)/.test(name) ? / = \d+<(.+)>(\(deleted\))?$/.exec(line) : null;
  const descriptor = /^\w+\(\d+<(.+?)>(\(deleted\))?(?:[,)]| )/.exec(line);
  const [, found] = opened ?? descriptor ?? [];
  if (found !== undefined) return unescape(found).toString('latin1');
  return /^(open|creat)/.test(name) ? String(strings[0]) : name;
}

/** `\x2f` and the like; the rest is as it is. */
function unescape(text: string): Buffer {
  return Buffer.from(
    text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
