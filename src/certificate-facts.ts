import { createHash } from 'node:crypto';
import { type Cursor, cursor, DerError, nextTag, read, readPositiveInteger, readWhole, tag } from './der.ts';

/** What a re-issue asks of a certificate. */
export interface CertificateFacts {
  /** SHA-256 of its SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly spkiSha256: string;
  readonly notAfter: Date;
}

/** Read from the certificate itself (RFC 5280 4.1), not from what a database says of it. @throws DerError */
export function certificateFacts(der: Uint8Array): CertificateFacts {
  const fields = cursor(read(cursor(read(cursor(der), tag.sequence)), tag.sequence));
  read(fields, tag.version);
  readPositiveInteger(fields);
  read(fields, tag.sequence); // signature algorithm
  read(fields, tag.sequence); // issuer
  const validity = cursor(read(fields, tag.sequence));
  readTime(validity);
  const notAfter = readTime(validity);
  read(fields, tag.sequence); // subject
  const spki = readWhole(fields, tag.sequence);
  return { spkiSha256: createHash('sha256').update(spki).digest('hex'), notAfter };
}

/** UTCTime is of 1950 to 2049 (RFC 5280 4.1.2.5.1). */
function readTime(from: Cursor): Date {
  const kind = nextTag(from) === tag.utcTime ? tag.utcTime : tag.generalizedTime;
  const text = Buffer.from(read(from, kind)).toString('latin1');
  const full = kind === tag.generalizedTime ? text : `${text < '50' ? '20' : '19'}${text}`;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)?.slice(1).map(Number);
  if (parts === undefined) throw new DerError('a time of another form');
  const [year = 0, month = 1, ...rest] = parts;
  return new Date(Date.UTC(year, month - 1, ...rest));
}
