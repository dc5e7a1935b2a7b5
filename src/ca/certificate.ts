import * as pkijs from 'pkijs';
import type { Issuer } from './profile.ts';

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
