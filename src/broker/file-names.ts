/** Everything an export can hold; what has another name in its directory is somebody else's. */
export const fileNames = [
  'README.txt',
  'SHA256SUMS',
  'acl',
  'allow-list.txt',
  'broker-anchors.pem',
  'broker-chain.pem',
  'devices-ca.pem',
  'devices-ca.trusted.pem',
  'devices.crl',
  'dynamic-security.json',
  'mosquitto.conf',
  'openssl.cnf',
] as const;
export type FileName = (typeof fileNames)[number];

/** The files of one export, by their names. */
export type ExportFiles = ReadonlyMap<FileName, string>;
