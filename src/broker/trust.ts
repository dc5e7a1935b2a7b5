import { formatPem } from '../pem.ts';

/** Certificates one after the other, each once. */
export function certificates(ders: readonly Uint8Array[]): string {
  return [...new Set(ders.map((der) => formatPem('CERTIFICATE', der)))].join('');
}

/**
 * X509_CERT_AUX of OpenSSL (x_x509a.c) with clientAuth in its list of trusted uses. With it a CA is where a chain may
 * end although a root stands above it, which OpenSSL otherwise insists on: and a broker that had to trust the
 * root would trust the broker CA below it too.
 */
const trustedForClients = Buffer.from('300c300a06082b06010505070302', 'hex');

/** As `openssl x509 -addtrust clientAuth -trustout` writes them. */
export function trustedCertificates(ders: readonly Uint8Array[]): string {
  return ders
    .map((der) => formatPem('TRUSTED CERTIFICATE', Buffer.concat([der, trustedForClients])))
    .join('');
}
