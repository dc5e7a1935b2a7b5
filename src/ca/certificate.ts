import * as pkijs from 'pkijs';
import { cursor, read, tag } from '../der.ts';
import type { Issuer } from './profile.ts';
import { readTime } from './validity.ts';

/** What a CA's own certificate says of it. */
export interface CertificateFacts {
  readonly issuer: Issuer;
  readonly notBefore: Date;
}

/** @throws Error if it is not a certificate */
export function readCertificate(der: Uint8Array): CertificateFacts {
  const certificate = pkijs.Certificate.fromBER(der);
  const point = certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return {
    issuer: { name: new Uint8Array(certificate.subject.toSchema().toBER()), publicKey: point.slice() },
    notBefore: certificate.notBefore.value,
  };
}

/** The end of a certificate (RFC 5280 4.1), without the rest: it is asked of a whole fleet. @throws DerError */
export function readNotAfter(der: Uint8Array): Date {
  const fields = cursor(read(cursor(read(cursor(der), tag.sequence)), tag.sequence));
  for (const type of [tag.version, tag.integer, tag.sequence, tag.sequence]) read(fields, type);
  const validity = cursor(read(fields, tag.sequence));
  readTime(validity);
  return readTime(validity);
}
