import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Board, DeviceId } from '../device.ts';
import { LinesideError } from '../errors.ts';
import { formatProbe, type Probe } from '../swd/probe.ts';
import { type BoardCredentials, formatRequest, parseReply, type Reply, type Request } from './messages.ts';

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
 * Node opens its debugger at a SIGUSR1 that comes before our own handler is there, to every user of this PC, and
 * Node 20 has no way to refuse: so on an address that no PC has, where it fails.
 */
const noDebugger = '--inspect-port=0.0.0.1:9229';

/**
 * The station's side of one unit process, which lives for one board. Every method throws the LinesideError the
 * unit process met, or `unit-lost` if it ended without one.
 */
export class UnitProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #asked = 0;
  #id: DeviceId | undefined;

  private constructor({ node, entry }: UnitProgram) {
    // Detached: Ctrl-C reaches the whole foreground group, and a board in work is to be finished, not cut off.
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const;
    const command = [...shell, node, '--expose-gc', noDebugger, entry];
    this.#child = spawn('/bin/sh', command, {
      stdio: [...stdio],
      env: environment,
      cwd: '/',
      detached: true,
    });
    this.#child.on('error', () => {}); // what it was about is told by the exit, or by the reply that does not come
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => this.#child.pid === undefined && resolve());
    });
  }

  static start(program: UnitProgram): UnitProcess {
    return new UnitProcess(program);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Connects to the board and reads what it is. */
  async examine(chip: string, probe: Probe): Promise<Board> {
    return (await this.#ask('board', { do: 'examine', chip, probe: formatProbe(probe) })).board;
  }

  /** Erases the whole chip, its identity and its lock, and reads what it then is. */
  async recover(chip: string, probe: Probe): Promise<Board> {
    return (await this.#ask('board', { do: 'recover', chip, probe: formatProbe(probe) })).board;
  }

  /** Makes the key pair and returns the CSR, DER. The key itself never leaves but to the board. */
  async makeKey(id: DeviceId): Promise<Uint8Array> {
    this.#id = id;
    const { csr } = await this.#ask('csr', { do: 'make-key', id });
    return Buffer.from(csr, 'base64');
  }

  /** Blanks the factory pages and programs the firmware, if there is one, from the path it is held open under. */
  async program(firmware: string | null): Promise<void> {
    await this.#ask('done', { do: 'program', firmware });
  }

  /** The first key byte leaves the PC here. When this returns or throws, the key is wiped. */
  async writeIdentity(): Promise<void> {
    await this.#ask('done', { do: 'write-identity' });
  }

  /** Writes the page beside the identity; nothing here is secret. */
  async writeCredentials(credentials: BoardCredentials): Promise<void> {
    await this.#ask('done', { do: 'write-credentials', credentials });
  }

  /** Locks the debug port with proof; starts the firmware too. */
  async lock(): Promise<void> {
    await this.#ask('done', { do: 'lock' });
  }

  async start(): Promise<void> {
    await this.#ask('done', { do: 'start' });
  }

  /** Closes the channel, at which the process wipes, lets go of the board and exits. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#exited;
    clearTimeout(impatient);
  }

  /** Sends a request and takes the reply to it, which must be of this kind. */
  async #ask<Kind extends Reply['kind']>(
    kind: Kind,
    request: Request,
  ): Promise<Extract<Reply, { kind: Kind }>> {
    const reply = await this.#exchange(request);
    if (reply.kind === 'failed') throw new LinesideError(reply.code, reply.facts);
    if (!isOf(kind, reply)) throw this.#lost();
    return reply;
  }

  async #exchange(request: Request): Promise<Reply> {
    const settled = new AbortController();
    const impatient = setTimeout(() => settled.abort(), replyLimit);
    try {
      if (!this.#child.connected) throw this.#lost();
      this.#asked += 1;
      const answered = once(this.#child, 'message', { signal: settled.signal });
      const lost = this.#exited.then(() => Promise.reject(this.#lost()));
      this.#child.send(formatRequest(this.#asked, request));
      const messages: unknown[] = await Promise.race([answered, lost]);
      return parseReply(this.#asked, messages[0]);
    } catch (cause) {
      throw cause instanceof LinesideError ? cause : this.#lost(cause);
    } finally {
      clearTimeout(impatient);
      settled.abort();
    }
  }

  /** Nothing can be in doubt before a key was asked for. */
  #lost(cause?: unknown): LinesideError {
    if (this.#id === undefined) return new LinesideError('unit-died', {}, { cause });
    return new LinesideError('unit-lost', { id: this.#id }, { cause });
  }
}

function isOf<Kind extends Reply['kind']>(kind: Kind, reply: Reply): reply is Extract<Reply, { kind: Kind }> {
  return reply.kind === kind;
}
