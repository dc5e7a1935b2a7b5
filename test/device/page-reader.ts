import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { FactoryDataError } from '../../src/factory-data/refusal.ts';
import { readIdentityPage } from '../factory-data/identity-page-reader.ts';

export interface Case {
  readonly kind: 'identity' | 'credentials';
  readonly page: Uint8Array;
}

const program = join(import.meta.dirname, '../../build/firmware/reader');

/**
 * What the device's reader says of each page: `ok` and the values as <type>:<hex>, or the rule that refuses it.
 * @throws Error with the sanitizers' report if it did anything wrong
 */
export async function readOnDevice(cases: readonly Case[]): Promise<string[]> {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let report = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (text: Buffer) => (report += text.toString()));
  child.stdin.on('error', () => {}); // it ended early, which its exit code says as well
  child.stdin.end(Buffer.concat(cases.flatMap(({ kind, page }) => [head(kind, page.length), page])));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || lines.length !== cases.length)
    throw new Error(`the reader ended with ${code} after case ${lines.length}: ${report}`);
  return lines;
}

function head(kind: Case['kind'], length: number): Buffer {
  const bytes = Buffer.from(`${kind[0]}....`, 'latin1');
  bytes.writeUInt32LE(length, 1);
  return bytes;
}

/** What the codec of the product, and for the identity page the tests' own reader, says of the page. */
export function readHere({ kind, page }: Case): string {
  try {
    return kind === 'identity' ? identity(page) : credentials(page);
  } catch (error) {
    if (error instanceof FactoryDataError) return error.rule;
    if (error instanceof Error && kind === 'identity' && /^[a-z-]+$/.test(error.message))
      return error.message;
    throw error;
  }
}

function identity(page: Uint8Array): string {
  const { id, publicKey, privateKey } = readIdentityPage(Buffer.from(page));
  return `ok 1:${hex(Buffer.from(id))} 2:${publicKey} 3:${privateKey}`;
}

function credentials(page: Uint8Array): string {
  const read = decodeCredentialsPage(page);
  return [
    'ok',
    `16:${read.generation}`,
    `17:${hex(read.certificate)}`,
    ...read.intermediates.map((value) => `18:${hex(value)}`),
    ...read.trustAnchors.map((value) => `19:${hex(value)}`),
    ...read.brokerNames.map((value) => `20:${hex(Buffer.from(value))}`),
    ...(read.firmwareKey ? [`21:${hex(read.firmwareKey)}`] : []),
  ].join(' ');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
