import type { Access } from './mosquitto-conf.ts';
import { besideExport, type BrokerPlace } from './place.ts';

/** What a reader wants to know of a CA whose devices are let in. */
export interface CaSummary {
  readonly name: string;
  readonly crlNumber: number;
  readonly crlNextUpdate: Date;
  readonly devices: number;
}

/** The page that lies in the export, for whoever runs the broker and has never seen lineside. */
export function readme(
  place: BrokerPlace,
  access: Access,
  authorities: readonly CaSummary[],
  chain: 'with-chain' | 'no-chain',
): string {
  const { prefix, user } = place;
  const [certificate, key] = [besideExport(place, 'broker.crt'), besideExport(place, 'broker.key')];
  return `Configuration of an MQTT broker (mosquitto 2.0.11 or later, with OpenSSL 3) for
${authorities.map(inWords).join('\n')}

Everything here is public. Nothing here is to be edited: the next export takes the
place of all of it.


THE BROKER'S OWN CERTIFICATE AND KEY

They lie beside this directory, not in it:

  ${certificate}   what "lineside ca broker" printed${chain === 'with-chain' ? ',\n    and then broker-chain.pem of this directory: cat broker.crt broker-chain.pem' : ''}
  ${key}   its key, owner ${user}, mode 0400


PUT IT IN PLACE

As root, in this directory, the first time and every time. A half-copied file is
never seen: the new directory gets the name when all of it is there.

  sha256sum --check --strict --quiet SHA256SUMS &&
  new=$(mktemp -d ${prefix}-XXXXXX) &&
  cp -r . "$new" &&
  chown -R ${user} "$new" &&
  chmod -R u=rwX,go= "$new" &&
  ln -sfn "$new" ${prefix}.new &&
  mv -T ${prefix}.new ${prefix}


START

The broker needs one more setting in its environment, or it also takes other curves
and RSA. With systemd, /etc/systemd/system/mosquitto.service.d/lineside.conf:

  [Service]
  Environment=OPENSSL_CONF=${prefix}/openssl.cnf
  ExecStart=
  ExecStart=/usr/sbin/mosquitto -c ${prefix}/mosquitto.conf

By hand:

  OPENSSL_CONF=${prefix}/openssl.cnf mosquitto -c ${prefix}/mosquitto.conf


AFTER EACH NEW EXPORT: RESTART, DO NOT RELOAD

  systemctl restart mosquitto

- A restart with a damaged list of revoked certificates fails, and nobody is let in.
  A reload (SIGHUP) with one goes on WITHOUT any list, and says so in the log only.
- A reload leaves connected whoever is connected, revoked or not.
- ${reloads[access]}
- A reload does not take new certificates of CAs in every version.


BEFORE THE LIST OF REVOKED CERTIFICATES IS OVERDUE

From the dates above on the broker refuses everybody. Have the CA sign the next list
("lineside ca crl"), and export again, in good time.


THE OTHER FILES

devices-ca.pem         the CAs of the devices, for any other broker or tool
allow-list.txt         every device that has a valid certificate, one id a line
broker-anchors.pem     what devices trust: for whoever checks the broker
devices-ca.trusted.pem devices-ca.pem with OpenSSL's mark "for clients only", so that
                       nothing else that stands below the same root is let in
`;
}

const reloads: Readonly<Record<Access, string>> = {
  'dynamic-security': 'A reload does not read dynamic-security.json, so a new device stays locked out.',
  acl: 'A reload reads the file acl, which is the least that can have changed.',
};

function inWords({ name, devices, crlNumber, crlNextUpdate }: CaSummary): string {
  const due = crlNextUpdate.toISOString().slice(0, 16).replace('T', ' ');
  return `- ${devices} devices of ${name}; its list of revoked certificates, number ${crlNumber}, is due ${due} UTC`;
}
