import { randomInt } from 'node:crypto';
import type { SerialPort } from 'serialport';
import { LinesideError, systemWords } from '../errors.ts';
import { decodeFrame, encodeFrame, maximumFrame } from './frame.ts';
import { encodeSlip, SlipDecoder } from './slip.ts';
import { watchForUnplugging } from './unplugged.ts';

const baudRate = 115_200;
const answerFlag = 0x80;

/** What is asked of a device, in words for the operator, and how long and how often. */
export interface Question {
  readonly type: number;
  readonly doing: string;
  readonly patienceMs: number;
  /** More than one only if asking twice does no harm. */
  readonly attempts: number;
}

interface Waiting {
  readonly type: number;
  readonly sequence: number;
  readonly answered: (payload: Uint8Array) => void;
  readonly failed: (error: LinesideError) => void;
}

/** The serial line to a device in its fixture. One question at a time; whatever else the device says is dropped. */
export class DeviceLine {
  readonly path: string;
  readonly #port: SerialPort;
  readonly #decoder = new SlipDecoder(maximumFrame);
  #waiting: Waiting | undefined;
  #lost: LinesideError | undefined;
  #unwatch: (() => void) | undefined;
  // So that the answer to a question of an earlier process is not taken for one of ours.
  #sequence = randomInt(0x10000);

  private constructor(path: string, port: SerialPort) {
    this.path = path;
    this.#port = port;
    port.on('data', (bytes: Uint8Array) => this.#take(bytes));
    port.on('error', (error) => this.#fail(error));
    port.on('close', (error?: Error | null) => this.#fail(error ?? new Error('it was closed')));
  }

  /** @throws LinesideError `uart-unreachable` */
  static async open(path: string): Promise<DeviceLine> {
    try {
      // Loaded here because only a line with a fixture needs it, and every command would wait for it.
      const { SerialPort } = await import('serialport');
      const port = new SerialPort({ path, baudRate, autoOpen: false });
      await new Promise<void>((opened, failed) => port.open((error) => (error ? failed(error) : opened())));
      const line = new DeviceLine(path, port);
      await line.#watch();
      return line;
    } catch (cause) {
      throw new LinesideError('uart-unreachable', { path, reason: systemWords(cause) }, { cause });
    }
  }

  /** The payload of the answer. @throws LinesideError `uart-silent`, `uart-unreachable` */
  async ask(question: Question, payload: Uint8Array): Promise<Uint8Array> {
    for (let left = question.attempts; left > 0; left--) {
      const answer = await this.#askOnce(question, payload);
      if (answer !== undefined) return answer;
    }
    throw new LinesideError('uart-silent', { path: this.path, doing: question.doing });
  }

  async close(): Promise<void> {
    this.#unwatch?.();
    this.#port.removeAllListeners('close');
    if (this.#port.isOpen) await new Promise<void>((closed) => this.#port.close(() => closed()));
  }

  /** Undefined if no answer came in time. */
  async #askOnce({ type, patienceMs }: Question, payload: Uint8Array): Promise<Uint8Array | undefined> {
    const sequence = (this.#sequence = (this.#sequence + 1) & 0xffff);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, failed) => {
        if (this.#lost) throw this.#lost;
        this.#waiting = { type: type | answerFlag, sequence, answered: resolve, failed };
        timer = setTimeout(() => resolve(undefined), patienceMs);
        this.#port.write(encodeSlip(encodeFrame({ type, sequence, payload })));
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #take(bytes: Uint8Array): void {
    for (const received of this.#decoder.decode(bytes)) {
      const frame = decodeFrame(received);
      const { type, sequence, answered } = this.#waiting ?? {};
      if (frame && frame.type === type && frame.sequence === sequence) answered?.(frame.payload);
    }
  }

  async #watch(): Promise<void> {
    const lose = () => {
      this.#fail(new Error('it was unplugged'));
      void this.close();
    };
    try {
      this.#unwatch = await watchForUnplugging(this.path, lose);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  #fail(cause: Error): void {
    const reason = systemWords(cause);
    this.#lost = new LinesideError('uart-unreachable', { path: this.path, reason }, { cause });
    this.#waiting?.failed(this.#lost);
  }
}
