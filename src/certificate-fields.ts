import {
  type Cursor,
  cursor,
  DerError,
  end,
  nextTag,
  read,
  readBitString,
  readPositiveInteger,
  readWhole,
  tag,
} from './der.ts';

/** What a certificate says (RFC 5280 4.1); what is called whole has its tag and length. */
export interface CertificateFields {
  /** TBSCertificate whole: the bytes that are signed. */
  readonly message: Uint8Array;
  /** Upper-case hex digits, two for each byte, the first not 00. */
  readonly serial: string;
  /** Contents of the AlgorithmIdentifier, the same in both its places. */
  readonly algorithm: Uint8Array;
  /** Names, whole. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo whole. */
  readonly publicKeyInfo: Uint8Array;
  /** Type of each extension, in hex → the extension whole, in hex. */
  readonly extensions: ReadonlyMap<string, string>;
  readonly signature: Uint8Array;
}

/**
 * Reads a certificate of version 3 without judging it. Strict: what is read has one encoding, and nothing is beside it.
 * A third of what X509Certificate takes to read one, and that one also reads PEM, and what follows a certificate.
 * @throws DerError
 */
export function readCertificate(der: Uint8Array): CertificateFields {
  const outer = cursor(der);
  const certificate = cursor(read(outer, tag.sequence));
  end(outer);
  const message = readWhole(certificate, tag.sequence);
  const algorithm = read(certificate, tag.sequence);
  const signature = readBitString(certificate);
  end(certificate);

  const fields = cursor(read(cursor(message), tag.sequence));
  if (hex(read(fields, tag.version)) !== '020102') throw new DerError('not version 3');
  const serial = hex(readPositiveInteger(fields)).replace(/^00/, '').toUpperCase();
  if (!equal(read(fields, tag.sequence), algorithm)) throw new DerError('two signature algorithms');
  const issuer = readWhole(fields, tag.sequence);
  const notAfter = readValidity(read(fields, tag.sequence));
  const subject = readWhole(fields, tag.sequence);
  const publicKeyInfo = readWhole(fields, tag.sequence);
  const extensions = readExtensions(read(fields, tag.extensions));
  end(fields);
  return { message, serial, algorithm, issuer, subject, notAfter, publicKeyInfo, extensions, signature };
}

function readValidity(contents: Uint8Array): Date {
  const validity = cursor(contents);
  readTime(validity); // notBefore
  const notAfter = readTime(validity);
  end(validity);
  return notAfter;
}

/** In seconds and GMT; a UTCTime is of 1950 to 2049 (RFC 5280 4.1.2.5). */
function readTime(from: Cursor): Date {
  const kind = nextTag(from) === tag.utcTime ? tag.utcTime : tag.generalizedTime;
  const text = Buffer.from(read(from, kind)).toString('latin1');
  const full = kind === tag.generalizedTime ? text : `${text < '50' ? '20' : '19'}${text}`;
  const iso = full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = new Date(iso);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) throw new DerError('not a time');
  return time;
}

function readExtensions(contents: Uint8Array): ReadonlyMap<string, string> {
  const explicit = cursor(contents);
  const list = cursor(read(explicit, tag.sequence));
  end(explicit);
  const found = new Map<string, string>();
  while (list.at < list.bytes.length) {
    const whole = readWhole(list, tag.sequence);
    const type = readExtensionType(whole);
    if (found.has(type)) throw new DerError('an extension twice');
    found.set(type, hex(whole));
  }
  return found;
}

function readExtensionType(whole: Uint8Array): string {
  const extension = cursor(read(cursor(whole), tag.sequence));
  const type = hex(read(extension, tag.objectIdentifier));
  const critical = nextTag(extension) === tag.boolean ? hex(read(extension, tag.boolean)) : 'ff';
  if (critical !== 'ff') throw new DerError('the default encoded, or a boolean of another form');
  read(extension, tag.octetString);
  end(extension);
  return type;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
