import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { end, saysLine, startMortal } from '../support/mortal.ts';
import type { Certified } from './pki.ts';

/** A mosquitto that lets in the devices of one CA over TLS 1.3, and this test without. */
export interface Broker {
  readonly port: number;
  /** Messages from now on, as `topic payload`. */
  listen(topic: string): Promise<Listener>;
  publish(topic: string, payload: string): Promise<void>;
  stop(): Promise<void>;
}

interface Listener {
  next(): Promise<string>;
}

/** Its configuration and log are in `directory`. */
export async function runBroker(directory: string, own: Certified, devices: Certified): Promise<Broker> {
  const [port, inside] = [await freePort(), await freePort()];
  const config = join(directory, `mosquitto-${port}.conf`);
  writeFileSync(config, configuration(own, devices, port, inside));
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: readonly string[]) => {
    const child = startMortal(program, args, ['ignore', 'pipe', 'pipe']);
    children.push(child);
    return child;
  };
  await saysLine(start('mosquitto', '-c', config).stderr, /mosquitto version \S+ running/);
  const client = ['-h', '127.0.0.1', '-p', String(inside), '-q', '1'];
  return {
    port,
    listen: (topic) => listen(start('stdbuf', '-oL', 'mosquitto_sub', ...client, '-v', '-d', '-t', topic)),
    publish: async (topic, payload) => {
      await once(start('mosquitto_pub', ...client, '-t', topic, '-m', payload), 'exit');
    },
    stop: async () => {
      await Promise.all(children.map(end));
    },
  };
}

function configuration(own: Certified, devices: Certified, port: number, inside: number): string {
  return `user root
per_listener_settings true
persistence false
listener ${inside} 127.0.0.1
allow_anonymous true
listener ${port} 127.0.0.1
cafile ${devices.certificate}
certfile ${own.certificate}
keyfile ${own.key}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
tls_version tlsv1.3
ciphers_tls1.3 TLS_AES_128_GCM_SHA256
`;
}

async function listen({ stdout }: ChildProcess): Promise<Listener> {
  if (!stdout) throw new Error('no output to read');
  const messages: string[] = [];
  let waiting: ((message: string) => void) | undefined;
  createInterface({ input: stdout }).on('line', (text) => {
    if (!text.startsWith('private/')) return;
    if (waiting) waiting(text);
    else messages.push(text);
    waiting = undefined;
  });
  await saysLine(stdout, /received SUBACK/);
  return { next: async () => messages.shift() ?? new Promise((arrived) => (waiting = arrived)) };
}

/** mosquitto takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
