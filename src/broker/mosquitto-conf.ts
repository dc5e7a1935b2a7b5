import type { FileName } from './file-names.ts';
import { besideExport, type BrokerPlace } from './place.ts';

/** How devices are kept apart; decision 20 says why the stricter one is the default. */
export type Access = 'dynamic-security' | 'acl';

/**
 * mosquitto.conf(5), for 2.0.11 and later: one listener, and nobody on it without a certificate of a device CA. What
 * may surprise: `tls_version` is the least one allowed, and 1.3 the greatest there is; `plugin` without a path is
 * looked for where the system keeps its libraries. Log and persistence are left to the operator.
 */
export function mosquittoConf(place: BrokerPlace, access: Access): string {
  const { prefix, user, port, address } = place;
  const at = (name: FileName) => `${prefix}/${name}`;
  return `# Written by "lineside broker export" for ${prefix}. Not to be edited: the next export takes its place.
# mosquitto must be started with OPENSSL_CONF=${at('openssl.cnf')}, see README.txt.
user ${user}
per_listener_settings false
allow_anonymous false
${accessLines(access, at)}
# A device keeps 4 KiB for what it receives in one piece.
max_packet_size 4096

listener ${port}${address === null ? '' : ` ${address}`}
tls_version tlsv1.3
ciphers_tls1.3 TLS_AES_128_GCM_SHA256
certfile ${besideExport(place, 'broker.crt')}
keyfile ${besideExport(place, 'broker.key')}
cafile ${at('devices-ca.trusted.pem')}
crlfile ${at('devices.crl')}
require_certificate true
use_identity_as_username true
# Or a device could take the client id of another and so throw it off.
use_username_as_clientid true
`;
}

function accessLines(access: Access, at: (name: FileName) => string): string {
  if (access === 'acl') return `acl_file ${at('acl')}`;
  return `plugin mosquitto_dynamic_security.so\nplugin_opt_config_file ${at('dynamic-security.json')}`;
}
