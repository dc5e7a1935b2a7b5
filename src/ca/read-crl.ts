import { createHash, verify } from 'node:crypto';
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
  readTime,
} from '../der.ts';
import { importPublicKey } from '../public-key.ts';
import { keyIdentifier } from './extensions.ts';
import type { Issuer } from './profile.ts';
import { ecdsaWithSha256 } from './signed.ts';

/** What a CRL says. Whose it is, only `isSignedBy` shows. */
export interface Crl {
  readonly der: Uint8Array;
  readonly sha256: string;
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serial numbers, lower-case hex. */
  readonly revoked: ReadonlySet<string>;
  /** Name DER. */
  readonly issuer: Uint8Array;
  /** Of the key that signed it, by its own words. */
  readonly keyId: Uint8Array;
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads a CRL as `crlTbs` writes it (RFC 5280 5.1), and none that says more: a delta CRL, or one for a part of the
 * certificates, would not be what it seems.
 * @throws DerError
 */
export function readCrl(der: Uint8Array): Crl {
  const outer = cursor(der);
  const list = cursor(read(outer, tag.sequence));
  end(outer);
  const signedBytes = readWhole(list, tag.sequence);
  const fields = cursor(read(cursor(signedBytes), tag.sequence));
  if (Buffer.from(read(fields, tag.integer)).toString('hex') !== '01') throw new DerError('not version 2');
  readAlgorithm(fields);
  const issuer = readWhole(fields, tag.sequence);
  const [thisUpdate, nextUpdate] = [readTime(fields), readTime(fields)];
  const revoked =
    nextTag(fields) === tag.sequence ? readEntries(read(fields, tag.sequence)) : new Set<string>();
  const { keyId, number } = readExtensions(read(fields, tag.crlExtensions));
  end(fields);
  readAlgorithm(list);
  const signature = readBitString(list);
  end(list);
  const sha256 = createHash('sha256').update(der).digest('hex');
  return { der, sha256, number, thisUpdate, nextUpdate, revoked, issuer, keyId, signedBytes, signature };
}

/** By its own words; a CA that was made anew under an old name has another key. */
export function namesIssuer({ issuer, keyId }: Crl, { name, publicKey }: Issuer): boolean {
  return Buffer.from(issuer).equals(name) && Buffer.from(keyId).equals(keyIdentifier(publicKey));
}

export function isSignedBy(crl: Crl, issuer: Issuer): boolean {
  const key = importPublicKey(issuer.publicKey);
  return (
    namesIssuer(crl, issuer) && key !== undefined && verify('sha256', crl.signedBytes, key, crl.signature)
  );
}

function readAlgorithm(from: Cursor): void {
  if (!ecdsaWithSha256.equals(readWhole(from, tag.sequence))) throw new DerError('not ecdsa-with-SHA256');
}

/** RFC 5280 5.1.2.6; why a certificate was revoked is nothing to a broker. */
function readEntries(bytes: Uint8Array): Set<string> {
  const entries = cursor(bytes);
  const serials = new Set<string>();
  while (entries.at < bytes.length) {
    const entry = cursor(read(entries, tag.sequence));
    serials.add(Buffer.from(readPositiveInteger(entry)).toString('hex'));
    readTime(entry);
    if (nextTag(entry) === tag.sequence) read(entry, tag.sequence);
    end(entry);
  }
  if (serials.size === 0) throw new DerError('an empty list of entries');
  return serials;
}

const authorityKeyIdentifier = Buffer.from('0603551d23', 'hex');
const cRLNumber = Buffer.from('0603551d14', 'hex');
const keyIdentifierTag = 0x80;

/** RFC 5280 5.2.1 and 5.2.3 */
function readExtensions(bytes: Uint8Array): { keyId: Uint8Array; number: number } {
  const explicit = cursor(bytes);
  const list = cursor(read(explicit, tag.sequence));
  end(explicit);
  const identifier = cursor(readExtension(list, authorityKeyIdentifier));
  const number = cursor(readExtension(list, cRLNumber));
  end(list);
  const fields = cursor(read(identifier, tag.sequence));
  const keyId = read(fields, keyIdentifierTag);
  for (const read of [fields, identifier]) end(read);
  const value = Number.parseInt(Buffer.from(readPositiveInteger(number)).toString('hex'), 16);
  end(number);
  if (!Number.isSafeInteger(value)) throw new DerError('a CRL number beyond all counting');
  return { keyId, number: value };
}

/** The value of the next extension, which must be this one and not critical. */
function readExtension(list: Cursor, type: Uint8Array): Uint8Array {
  const extension = cursor(read(list, tag.sequence));
  if (!Buffer.from(readWhole(extension, tag.objectIdentifier)).equals(type))
    throw new DerError('an extension that this CA does not write');
  const value = read(extension, tag.octetString);
  end(extension);
  return value;
}
