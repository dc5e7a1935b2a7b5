import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { JoinReport } from '../../src/uart/answers.ts';

const program = join(import.meta.dirname, '../../build/firmware/client');

export interface Credentials {
  /** PEM files. */
  readonly anchors: string;
  readonly chain: string;
  readonly key: string;
  readonly name: string;
  readonly id: string;
}

/** How far the device's TLS and MQTT come with a broker on this machine. @throws Error with the sanitizers' report */
export function clientOf(port: number, { anchors, chain, key, name, id }: Credentials): Promise<JoinReport> {
  const args = ['127.0.0.1', String(port), anchors, chain, key, name, id];
  return new Promise((resolve, failed) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (stderr === '' && (error === null || error.code === 1)) resolve(JSON.parse(stdout));
      else failed(new Error(stderr));
    });
  });
}
