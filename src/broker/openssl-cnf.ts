/**
 * OpenSSL's config(5) for the broker's process: mosquitto has no settings of its own for curves and signatures, and
 * would take RSA, P-384 and X25519. Tickets are off: each carries the client's certificate back to a device that has
 * little room and no use for it.
 */
export const opensslCnf = `# Written by "lineside broker export". Set OPENSSL_CONF to this file for mosquitto alone.
openssl_conf = openssl

[openssl]
ssl_conf = ssl

[ssl]
system_default = tls

[tls]
Groups = P-256
SignatureAlgorithms = ECDSA+SHA256
NumTickets = 0
`;
