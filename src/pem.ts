/** RFC 7468: base64 in lines of 64 characters, each line ended by a newline. */
export function formatPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `${begin(label)}${lines.join('\n')}\n${end(label)}`;
}

/**
 * The contents of PEM blocks of one label, one after the other. Strict: the form `formatPem` writes and no other,
 * so nothing can hide between the blocks. Undefined for anything else.
 */
export function parsePem(label: string, text: string): Uint8Array[] | undefined {
  try {
    return [...pemBlocks(label, Buffer.from(text, 'latin1'))];
  } catch (error) {
    if (error instanceof PemError) return undefined;
    throw error;
  }
}

/** It is not PEM in the one form. */
export class PemError extends Error {
  override readonly name = 'PemError';
}

/** As `parsePem`, one block at a time, for a file that is too large to have twice. @throws PemError */
export function* pemBlocks(label: string, pem: Buffer): Generator<Uint8Array> {
  const last = end(label);
  for (let at = 0; at < pem.length; ) {
    const stop = pem.indexOf(last, at);
    if (stop < 0) throw new PemError('a block has no end');
    const block = pem.toString('latin1', at, stop + last.length);
    const der = Buffer.from(block.slice(begin(label).length, -last.length), 'base64');
    if (der.length === 0 || formatPem(label, der) !== block)
      throw new PemError('a block is not in the one form');
    yield der;
    at = stop + last.length;
  }
}

const begin = (label: string) => `-----BEGIN ${label}-----\n`;
const end = (label: string) => `-----END ${label}-----\n`;
