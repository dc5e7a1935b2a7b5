import type { Readable, Writable } from 'node:stream';
import { LinesideError } from '../errors.ts';

/** Ends a request and a reply of OpenOCD's Tcl server (OpenOCD manual 20.1). */
const terminator = 0x1a;

/** Far above any reply asked for here; without it a mute terminator would fill the memory. */
const maximumReply = 1 << 20;

/** What is being waited for, and for how long at the most. */
export interface Patience {
  readonly doing: string;
  readonly seconds: number;
}

/**
 * OpenOCD's Tcl server over a pipe: one request at a time, each answered within its time or never again.
 * After an error the pipe is out of step, so the OpenOCD behind it must be ended.
 */
export class TclPipe {
  readonly #requests: Writable;
  #received: Buffer[] = [];
  #length = 0;
  #closed = false;
  #onReply: ((reply: string) => void) | undefined;
  #onEnd: (() => void) | undefined;

  constructor(requests: Writable, replies: Readable) {
    this.#requests = requests;
    requests.on('error', () => {}); // a broken pipe also ends the replies, and that is where it is reported
    replies.on('data', (chunk: Buffer) => this.#receive(chunk));
    replies.on('close', () => {
      this.#closed = true;
      this.#onEnd?.();
    });
  }

  /** @throws LinesideError `openocd-timeout`, `openocd-died` */
  exchange(request: Uint8Array, patience: Patience): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (code: 'openocd-timeout' | 'openocd-died') => {
        clearTimeout(timer);
        this.#onReply = undefined;
        this.#onEnd = undefined;
        reject(new LinesideError(code, { ...patience }));
      };
      const timer = setTimeout(() => fail('openocd-timeout'), patience.seconds * 1000);
      this.#onEnd = () => fail('openocd-died');
      this.#onReply = (reply) => {
        clearTimeout(timer);
        resolve(reply);
      };
      if (this.#closed) return fail('openocd-died');
      this.#requests.write(request);
      this.#requests.write(Buffer.of(terminator));
    });
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#length += chunk.length;
    if (this.#length > maximumReply) return this.#onEnd?.();
    if (chunk.at(-1) !== terminator) return;
    const reply = Buffer.concat(this.#received).subarray(0, -1).toString('latin1');
    this.#received = [];
    this.#length = 0;
    this.#onReply?.(reply);
  }
}
