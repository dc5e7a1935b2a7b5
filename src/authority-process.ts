import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as v from 'valibot';
import { type ErrorCode, errorTable, LinesideError } from './errors.ts';

/*
 * A CA at the line (`provision --ca`): a process of its own that holds its keys, as the unit process holds a device's,
 * so that the station process holds none. It answers batches of requests, by the same rules as `ca sign`; what goes
 * between the two are the names of directories.
 */

/** Where the process finds the CA, and who is at work. Secrets it reads itself, from these files or the terminal. */
const opening = v.strictObject({
  directory: v.string(),
  officer: v.string(),
  passwordFile: v.optional(v.string()),
  secondPasswordFile: v.optional(v.string()),
  pinFile: v.optional(v.string()),
});
export type Opening = v.InferOutput<typeof opening>;
const order = v.strictObject({ batch: v.string(), out: v.string() });

const code = v.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(errorTable, value));
const reply = v.variant('kind', [
  /** The keys are open; `verifier` is what the CA's batches are checked with. */
  v.strictObject({ kind: v.literal('ready'), verifier: v.string() }),
  v.strictObject({ kind: v.literal('signed') }),
  v.strictObject({
    kind: v.literal('failed'),
    code,
    facts: v.record(v.string(), v.union([v.string(), v.number()])),
  }),
]);
export type AuthorityReply = v.InferOutput<typeof reply>;

export const parseOpening = (message: unknown): Opening => v.parse(opening, message);
export const parseOrder = (message: unknown): v.InferOutput<typeof order> => v.parse(order, message);

/** What a CA process is: the node binary, and dist/bin/authority.js. */
export interface AuthorityProgram {
  readonly node: string;
  readonly entry: string;
}

/** The station's side of it. One batch is signed at a time. */
export class AuthorityProcess {
  readonly #child: ChildProcess;
  /** What batches of this CA are checked with. */
  readonly verifier: string;

  private constructor(child: ChildProcess, verifier: string) {
    this.#child = child;
    this.verifier = verifier;
  }

  /** Waits until the keys are open, for as long as somebody types. @throws LinesideError what the CA met */
  static async start({ node, entry }: AuthorityProgram, where: Opening): Promise<AuthorityProcess> {
    const child = spawn(node, [entry], { stdio: ['inherit', 'ignore', 'inherit', 'ipc'] });
    child.send(where);
    const ready = await next(child);
    if (ready.kind === 'ready') return new AuthorityProcess(child, ready.verifier);
    throw new LinesideError('internal', { reason: 'the CA process said something else' });
  }

  /** @throws LinesideError as `signBatch`, `authority-lost` */
  async sign(batch: string, out: string): Promise<void> {
    this.#child.send({ batch, out });
    await next(this.#child);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

async function next(child: ChildProcess): Promise<AuthorityReply> {
  const gone = new AbortController();
  const message = once(child, 'message', { signal: gone.signal }) as Promise<[unknown]>;
  const exit = once(child, 'exit', { signal: gone.signal }).then((): never => {
    throw new LinesideError('authority-lost');
  });
  try {
    const [said] = await Promise.race([message, exit]);
    const parsed = v.parse(reply, said);
    if (parsed.kind === 'failed') throw new LinesideError(parsed.code, parsed.facts);
    return parsed;
  } finally {
    exit.catch(() => {});
    message.catch(() => {});
    gone.abort();
  }
}
