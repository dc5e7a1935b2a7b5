/** The textual form of RFC 7468, one block in a text. */

export type PemLabel =
  | 'CERTIFICATE'
  | 'CERTIFICATE REQUEST'
  | 'X509 CRL'
  | 'ENCRYPTED PRIVATE KEY'
  | 'PRIVATE KEY';

export function formatPem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The bytes of the only block, undefined if there is none of this label, or more than one block. */
export function parsePem(label: PemLabel, text: string): Uint8Array | undefined {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g)];
  const [block] = blocks;
  if (blocks.length !== 1 || block?.[1] !== label) return undefined;
  const base64 = (block[2] ?? '').replace(/\s+/g, '');
  const der = Buffer.from(base64, 'base64');
  return der.toString('base64') === base64 ? new Uint8Array(der) : undefined;
}
