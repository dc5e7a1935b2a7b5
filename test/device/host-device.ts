import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { decodeFrame, encodeFrame, type Frame, maximumFrame } from '../../src/uart/frame.ts';
import { encodeSlip, SlipDecoder } from '../../src/uart/slip.ts';
import { end, saysLine, startMortal } from '../support/mortal.ts';

/*
 * The firmware compiled for this machine, under the sanitizers: the same protocol code, without a chip around it.
 */

const program = join(import.meta.dirname, '../../build/firmware/device');

export interface Pages {
  readonly identity?: Uint8Array;
  readonly credentials?: Uint8Array;
}

/** A device on a serial line, whose path this is; it goes with the test. */
export async function deviceOnLine(pages: Pages): Promise<string> {
  const child = startMortal(program, ['pty'], ['pipe', 'pipe', 'inherit']);
  onTestFinished(() => end(child));
  child.stdin?.write(flash(pages));
  return saysLine(child.stdout, /^\/dev\/pts\/\d+$/);
}

/**
 * What a device answers to these bytes on its line. It is run to the end of them, or until it lost its power after
 * `writes` to its flash: then `left` is its credentials page. @throws Error with the sanitizers' report
 */
export async function answersTo(
  pages: Pages,
  line: Uint8Array,
  writes = -1,
): Promise<{ answers: Frame[]; left: Buffer | undefined }> {
  const child = spawn(program, ['pipe', String(writes)], { stdio: 'pipe' });
  const said: Buffer[] = [];
  let report = '';
  child.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  child.stderr.on('data', (text: Buffer) => (report += text.toString()));
  child.stdin.on('error', () => {}); // it ended early: its exit code says so
  child.stdin.end(Buffer.concat([flash(pages), line]));
  const [code] = (await once(child, 'close')) as [number | null];
  const cut = /^[0-9a-f]{8192}$/.test(report);
  if (code !== 0 || (report !== '' && !cut)) throw new Error(`the device ended with ${code}: ${report}`);
  const frames = [...new SlipDecoder(maximumFrame).decode(Buffer.concat(said))].map(decodeFrame);
  const answers = frames.filter((frame) => frame !== undefined);
  if (answers.length !== frames.length) throw new Error('the device answered with a damaged frame');
  return { answers, left: cut ? Buffer.from(report, 'hex') : undefined };
}

export function request(type: number, payload: Uint8Array = new Uint8Array(), sequence = 1): Uint8Array {
  return encodeSlip(encodeFrame({ type, sequence, payload }));
}

function flash({ identity, credentials }: Pages): Buffer {
  const pages = Buffer.alloc(8192, 0xff);
  if (identity) pages.set(identity, 0);
  if (credentials) pages.set(credentials, 4096);
  return pages;
}
