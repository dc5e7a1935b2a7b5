import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { LinesideError } from '../errors.ts';
import type { Chip } from './chip.ts';
import { adapterCommands, type Probe } from './probe.ts';
import { type Patience, TclPipe } from './tcl.ts';

/** Where Debian's package and a hand-built OpenOCD keep their scripts; absolute, see `start`. */
const scriptDirectories = ['/usr/local/share/openocd/scripts', '/usr/share/openocd/scripts'];

/** Enough of OpenOCD's words to tell what went wrong, never shown as they are. */
const diagnosisLength = 64 * 1024;

/** The outcome of a Tcl command: `code` 0 is success, and the text is its result or its error. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
}

/** One OpenOCD process on one board, driven through its Tcl pipe. Never used again after an error. */
export class OpenOcd {
  readonly #child;
  readonly #pipe: TclPipe;
  #diagnosis = '';

  private constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.#child = execa(file, args, {
      stdin: 'pipe',
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/nonexistent' },
      extendEnv: false,
      buffer: false,
      reject: false,
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#diagnosis = (this.#diagnosis + chunk.toString('latin1')).slice(-diagnosisLength);
    });
    this.#pipe = new TclPipe(this.#child.stdin, this.#child.stdout);
  }

  /**
   * Starts OpenOCD with no network port, no history file and a script path that nobody else can write to: a
   * `target/nrf52.cfg` in the working directory would be taken before OpenOCD's own, hence `cwd: '/'`, an empty
   * environment and an absolute path. `noinit` makes a failed `init` an answer instead of an exit.
   * @throws LinesideError `openocd-missing`
   */
  static start(probe: Probe, chip: Chip): OpenOcd {
    const scripts = scriptDirectories.find((directory) => existsSync(`${directory}/${chip.targetScript}`));
    if (!scripts) throw new LinesideError('openocd-missing', { reason: `no ${chip.targetScript}` });
    const ports = 'gdb_port disabled; telnet_port disabled; tcl_port pipe; noinit';
    const commands = ['-c', ports, '-c', adapterCommands(probe), '-f', `${scripts}/${chip.targetScript}`];
    return new OpenOcd(['openocd', '-d1', ...commands]);
  }

  /** Runs Tcl. The reply carries OpenOCD's own return code, as its server gives none. */
  async run(script: string, patience: Patience): Promise<Outcome> {
    const request = `set lineside_code [catch {${script}} lineside_text]; concat $lineside_code $lineside_text`;
    const [, code, text = ''] =
      /^(-?\d+) ?(.*)$/s.exec(await this.exchange(Buffer.from(request), patience)) ?? [];
    return { code: code === undefined ? -1 : Number(code), text };
  }

  /** Sends bytes as they are: for scripts that carry a key and may not become a string. */
  async exchange(request: Uint8Array, patience: Patience): Promise<string> {
    try {
      return await this.#pipe.exchange(request, patience);
    } catch (error) {
      this.#child.kill('SIGKILL');
      const result = await this.#child;
      if (result.code === 'ENOENT') throw new LinesideError('openocd-missing', { reason: 'not installed' });
      throw error;
    }
  }

  /** Whether OpenOCD said this. */
  said(words: RegExp): boolean {
    return words.test(this.#diagnosis);
  }

  /** Lets OpenOCD let go of the board; kills it if it does not end by itself. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#child;
    clearTimeout(impatient);
  }
}
