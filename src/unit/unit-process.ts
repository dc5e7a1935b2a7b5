import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Board, DeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { formatProbe, type Probe } from '../swd/probe.ts';
import { type BoardCredentials, parseReply, type Reply, type Request } from './messages.ts';

/** What a unit process is: the node binary, and dist/bin/unit.js. */
export interface UnitProgram {
  readonly node: string;
  readonly entry: string;
}

/** Above the sum of all the limits that one request has inside the unit process. */
const replyLimit = 15 * 60 * 1000;

/**
 * No core file whatever the caller's limit, the collector at hand, and nothing inherited that could load code or
 * open a door (NODE_OPTIONS, LD_PRELOAD, SSLKEYLOGFILE). glibc overwrites what is freed, at once: OpenSSL leaves
 * scalars in memory that it frees uncleansed.
 */
const shell = ['-c', 'ulimit -c 0; exec "$@"', 'sh'];
const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  GLIBC_TUNABLES: 'glibc.malloc.perturb=85:glibc.malloc.tcache_count=0',
};

/**
 * The station's side of one unit process, which lives for one board. Every method throws the LinesideError the
 * unit process met, or `unit-lost` if it ended without one.
 */
export class UnitProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #id = 'none';

  private constructor({ node, entry }: UnitProgram) {
    // Detached: Ctrl-C reaches the whole foreground group, and a board in work is to be finished, not cut off.
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const command = [...shell, node, '--expose-gc', entry];
    this.#child = spawn('/bin/sh', command, {
      stdio: [...stdio],
      env: environment,
      cwd: '/',
      detached: true,
    });
    this.#exited = once(this.#child, 'exit');
    this.#exited.catch(() => {});
  }

  static start(program: UnitProgram): UnitProcess {
    return new UnitProcess(program);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Connects to the board and reads what it is. */
  async examine(chip: string, probe: Probe): Promise<Board> {
    return boardOf(await this.#ask({ do: 'examine', chip, probe: formatProbe(probe) }));
  }

  /** Erases the whole chip, its identity and its lock, and reads what it then is. */
  async recover(chip: string, probe: Probe): Promise<Board> {
    return boardOf(await this.#ask({ do: 'recover', chip, probe: formatProbe(probe) }));
  }

  /** Makes the key pair and returns the CSR, DER. The key itself never leaves but to the board. */
  async makeKey(id: DeviceId): Promise<Uint8Array> {
    this.#id = id;
    const reply = await this.#ask({ do: 'make-key', id });
    if (reply.kind !== 'csr') throw this.#lost();
    return Buffer.from(reply.csr, 'base64');
  }

  /** Blanks the factory pages and programs the firmware, if there is one, from the path it is held open under. */
  async program(firmware: string | null): Promise<void> {
    await this.#ask({ do: 'program', firmware });
  }

  /** The first key byte leaves the PC here. When this returns or throws, the key is wiped. */
  async writeIdentity(): Promise<void> {
    await this.#ask({ do: 'write-identity' });
  }

  /** Writes the page beside the identity; nothing here is secret. */
  async writeCredentials(id: DeviceId, credentials: BoardCredentials): Promise<void> {
    this.#id = id;
    await this.#ask({ do: 'write-credentials', credentials });
  }

  /** Locks the debug port with proof; starts the firmware too. */
  async lock(): Promise<void> {
    await this.#ask({ do: 'lock' });
  }

  async start(): Promise<void> {
    await this.#ask({ do: 'start' });
  }

  /** Closes the channel, at which the process wipes, lets go of the board and exits. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#exited.catch(() => {});
    clearTimeout(impatient);
  }

  async #ask(request: Request): Promise<Exclude<Reply, { kind: 'failed' }>> {
    const reply = await this.#reply(request);
    if (reply.kind === 'failed') throw new LinesideError(reply.code, reply.facts);
    return reply;
  }

  async #reply(request: Request): Promise<Reply> {
    const settled = new AbortController();
    const waiting = { signal: AbortSignal.any([settled.signal, AbortSignal.timeout(replyLimit)]) };
    try {
      if (!this.#child.connected) throw this.#lost();
      const answered = once(this.#child, 'message', waiting);
      const lost = once(this.#child, 'exit', waiting).then(() => Promise.reject(this.#lost()));
      this.#child.send(request);
      const messages: unknown[] = await Promise.race([answered, lost]);
      return parseReply(messages[0]);
    } catch (cause) {
      throw cause instanceof LinesideError ? cause : this.#lost(cause);
    } finally {
      settled.abort();
    }
  }

  #lost(cause?: unknown): LinesideError {
    return new LinesideError('unit-lost', { id: this.#id }, { cause });
  }
}

function boardOf(reply: Exclude<Reply, { kind: 'failed' }>): Board {
  if (reply.kind !== 'board') throw new Error(`expected a board, got ${reply.kind}`);
  return reply.board;
}
