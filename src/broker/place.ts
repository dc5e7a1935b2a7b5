import { isIP } from 'node:net';
import { posix } from 'node:path';
import { LinesideError } from '../errors.ts';

/** Where the broker has the export, and how it runs. What is parsed here goes into its configuration as it is. */
export interface BrokerPlace {
  /** Absolute path of the export on the broker. */
  readonly prefix: string;
  /** Who mosquitto becomes when root starts it. */
  readonly user: string;
  readonly port: number;
  /** Null is every address. */
  readonly address: string | null;
}

/**
 * The broker's own certificate and key lie beside the export and not in it: the next export takes the place of
 * the whole directory.
 */
export function besideExport({ prefix }: BrokerPlace, name: 'broker.crt' | 'broker.key'): string {
  return posix.join(posix.dirname(prefix), name);
}

/** @throws LinesideError `usage` */
export function parsePrefix(text: string): string {
  const plain = /^(\/[A-Za-z0-9_+@=,.-]+)+$/.test(text) && posix.normalize(text) === text;
  if (plain) return text;
  throw usage(
    `"${text}" is not a path on the broker: write it from / on, of letters, digits and _ + @ = , . -`,
  );
}

/** @throws LinesideError `usage` */
export function parseUser(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(text)) return text;
  throw usage(`"${text}" is not the name of a user`);
}

/** Reads `8883`, `192.0.2.1:8883` or `[2001:db8::1]:8883`. @throws LinesideError `usage` */
export function parseListen(text: string): Pick<BrokerPlace, 'address' | 'port'> {
  const [, v6, v4, digits] = /^(?:(?:\[([^\]]+)\]|([0-9.]+)):)?([1-9]\d{0,4})$/.exec(text) ?? [];
  const [address, port] = [v6 ?? v4 ?? null, Number(digits)];
  const isAddress = address === null || isIP(address) === (v6 === undefined ? 4 : 6);
  if (isAddress && port <= 65_535) return { address, port };
  throw usage(`"${text}" is not where a broker can listen: write PORT, ADDRESS:PORT or [ADDRESS]:PORT`);
}

function usage(problem: string): LinesideError {
  return new LinesideError('usage', { problem });
}
