import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A real mosquitto, started as the README of the export says. */
export interface Broker {
  readonly port: number;
  /** How many lines it has logged. */
  readonly mark: () => number;
  /** The first line after a mark that matches; it is waited for. */
  readonly logged: (pattern: RegExp, after?: number) => Promise<string>;
  readonly reload: () => void;
  readonly stop: () => Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Where its settings are, if not those of the export. */
interface Settings {
  readonly conf?: string;
  readonly openssl?: string;
}

/** @throws Error with its log if it does not start */
export async function startBroker(prefix: string, port: number, settings: Settings = {}): Promise<Broker> {
  const { conf = `${prefix}/mosquitto.conf`, openssl = `${prefix}/openssl.cnf` } = settings;
  const child = spawn('mosquitto', ['--verbose', '-c', conf], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin`, OPENSSL_CONF: openssl },
  });
  const broker = watched(child, port);
  await broker.logged(/mosquitto version \S+ running/);
  return broker;
}

function watched(child: ChildProcess, port: number): Broker {
  if (!child.stderr) throw new Error('no log');
  const lines: string[] = [];
  let wake = () => {};
  let gone = false;
  const ended = once(child, 'close');
  child.once('close', () => {
    gone = true;
    wake();
  });
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    wake();
  });
  return {
    port,
    mark: () => lines.length,
    logged: async (pattern, after = 0) => {
      for (;;) {
        const found = lines.slice(after).find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (gone) throw new Error(`mosquitto ended without ${pattern}: ${lines.join('\n')}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    reload: () => child.kill('SIGHUP'),
    stop: async () => {
      child.kill('SIGKILL'); // a SIGTERM in its first moments is lost
      await ended;
    },
  };
}
