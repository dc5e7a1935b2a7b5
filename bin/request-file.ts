import { readFile } from 'node:fs/promises';
import { LinesideError, systemWords } from '../src/errors.ts';
import { parsePem } from '../src/pem.ts';

/** A certificate request, DER or PEM. @throws LinesideError `request-unreadable` */
export async function readRequestFile(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new LinesideError('request-unreadable', { path, reason: systemWords(cause) }, { cause });
  });
  if (bytes[0] === 0x30) return bytes;
  const [der, ...others] = parsePem('CERTIFICATE REQUEST', bytes.toString('latin1')) ?? [];
  if (der && others.length === 0) return der;
  throw new LinesideError('request-unreadable', { path, reason: 'it is not one request in DER or PEM' });
}
