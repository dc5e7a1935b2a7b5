import { LinesideError } from '../errors.ts';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host name as certificates carry it (RFC 1034 3.5): lower case, no wildcard, because a device knows
 * its broker by its whole name, and no IP address, which is not a name.
 * @throws LinesideError `usage`
 */
export function parseDnsName(text: string): string {
  const labels = text.split('.');
  const address = /^[0-9]+$/.test(labels.at(-1) ?? '');
  if (text.length <= 253 && !address && labels.every((each) => label.test(each))) return text;
  throw new LinesideError('usage', {
    problem: `"${text}" is not a host name: write it in full and in lower case, for example mqtt.example.com`,
  });
}
