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
  const blocks = text.split(end(label));
  if (blocks.pop() !== '') return undefined;
  const contents = blocks.map((block) => Buffer.from(block.slice(begin(label).length), 'base64'));
  const exact = contents.every(
    (der, at) => der.length > 0 && formatPem(label, der) === `${blocks[at]}${end(label)}`,
  );
  return exact ? contents : undefined;
}

const begin = (label: string) => `-----BEGIN ${label}-----\n`;
const end = (label: string) => `-----END ${label}-----\n`;
