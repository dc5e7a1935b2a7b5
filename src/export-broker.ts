import { join } from 'node:path';
import { aclFile } from './broker/acl.ts';
import { dynamicSecurity } from './broker/dynamic-security.ts';
import { notAnExport, readEarlierCrls } from './broker/earlier.ts';
import type { ExportFiles, FileName } from './broker/file-names.ts';
import { type Access, mosquittoConf } from './broker/mosquitto-conf.ts';
import { opensslCnf } from './broker/openssl-cnf.ts';
import type { BrokerPlace } from './broker/place.ts';
import { type CaSummary, readme } from './broker/readme.ts';
import { sha256Sums } from './broker/sums.ts';
import { certificates, trustedCertificates } from './broker/trust.ts';
import type { LiveDevice } from './ca/ledger/live-devices.ts';
import { type Crl, readCrl } from './ca/read-crl.ts';
import { type Consulted, consultAuthority, type CrlSource } from './consult-authority.ts';
import { DerError } from './der.ts';
import { type DeviceId, deviceIdToNumber } from './device.ts';
import { writeDurably } from './durable.ts';
import { LinesideError } from './errors.ts';
import { replaceDirectory } from './new-directory.ts';
import { formatPem } from './pem.ts';

export interface BrokerOrder {
  /** Two while a fleet changes over from one to the other. */
  readonly authorities: readonly CrlSource[];
  readonly access: Access;
  /** Device ids that may use the topics of all devices. */
  readonly backEnds: readonly DeviceId[];
  readonly place: BrokerPlace;
}

export interface BrokerExport {
  readonly authorities: readonly CaSummary[];
  readonly devices: readonly DeviceId[];
}

/**
 * Writes what a broker needs to let the devices of these CAs in, and nobody else. A CRL that would lock everybody out,
 * or let everybody in, is refused before anything is written; an earlier export in this place stays until the new one
 * is whole.
 * @throws LinesideError `not-an-export`, `crl-…`, `same-ca-twice`, `device-in-two-cas`, `key-compromised`, `backend-not-live`,
 * `backend-is-device`, `ca-…`, `clock-behind`, `ledger-…`, `directory-unwritable`
 */
export async function exportBroker(directory: string, order: BrokerOrder, now: Date): Promise<BrokerExport> {
  const earlier = await readEarlier(directory);
  const authorities: Consulted[] = [];
  for (const source of order.authorities) authorities.push(await consultAuthority(source, earlier, now));
  mustBeDistinct(authorities);
  const devices = devicesOf(authorities);
  for (const id of order.backEnds) mustBeBackEnd(id, devices);
  const ids = [...devices.keys()];
  const files = filesOf(order, authorities, ids);
  await replaceDirectory(directory, async (draft) => {
    for (const [name, text] of files) await writeDurably(join(draft, name), text);
  });
  return { authorities: authorities.map(summaryOf), devices: ids };
}

function mustBeDistinct(authorities: readonly Consulted[]): void {
  const seen = new Map<string, string>();
  for (const { path, certificates } of authorities) {
    const certificate = Buffer.from(certificates.device).toString('hex');
    const other = seen.get(certificate);
    if (other !== undefined) throw new LinesideError('same-ca-twice', { path, other });
    seen.set(certificate, path);
  }
}

/**
 * By id, in the order of the ids. A device that was certified anew by another CA still has its key; the same id with
 * another key is another device, which the broker could not tell from it. A key that is stolen is stolen at both.
 */
function devicesOf(authorities: readonly Consulted[]): Map<DeviceId, LiveDevice> {
  const compromised = new Set(authorities.flatMap(({ compromised }) => compromised));
  const known = new Map<DeviceId, LiveDevice>();
  for (const device of authorities.flatMap(({ devices }) => devices)) {
    const other = known.get(device.id);
    if (other !== undefined && other.spkiSha256 !== device.spkiSha256)
      throw new LinesideError('device-in-two-cas', { id: device.id });
    if (compromised.has(device.spkiSha256)) throw new LinesideError('key-compromised', { id: device.id });
    known.set(device.id, { ...device, station: device.station ?? other?.station ?? null });
  }
  return new Map([...known].sort(([one], [other]) => deviceIdToNumber(one) - deviceIdToNumber(other)));
}

/** A slip of the finger would give one device all the others. */
function mustBeBackEnd(id: DeviceId, devices: ReadonlyMap<DeviceId, LiveDevice>): void {
  const found = devices.get(id);
  if (found === undefined) throw new LinesideError('backend-not-live', { id });
  if (found.station !== null) throw new LinesideError('backend-is-device', { id, station: found.station });
}

function filesOf(
  { access, backEnds, place }: BrokerOrder,
  authorities: readonly Consulted[],
  ids: readonly DeviceId[],
): ExportFiles {
  const deviceCas = authorities.map(({ certificates }) => certificates.device);
  const below = authorities.filter(({ file }) => file.structure === 'intermediates');
  const chain = certificates(below.map(({ certificates }) => certificates.broker));
  const summaries = authorities.map(summaryOf);
  const files = new Map<FileName, string>([
    ['README.txt', readme(place, access, summaries, chain === '' ? 'no-chain' : 'with-chain')],
    ['mosquitto.conf', mosquittoConf(place, access)],
    ['openssl.cnf', opensslCnf],
    access === 'acl' ? ['acl', aclFile(backEnds)] : ['dynamic-security.json', dynamicSecurity(ids, backEnds)],
    ['devices-ca.pem', certificates(deviceCas)],
    ['devices-ca.trusted.pem', trustedCertificates(deviceCas)],
    ['devices.crl', authorities.map(({ crl }) => formatPem('X509 CRL', crl.der)).join('')],
    ['allow-list.txt', ids.map((id) => `${id}\n`).join('')],
    ['broker-anchors.pem', certificates(authorities.map(({ anchors }) => anchors.broker))],
    ...(chain === '' ? [] : [['broker-chain.pem', chain] as const]),
  ]);
  return files.set('SHA256SUMS', sha256Sums(files));
}

function summaryOf({ file, crl, devices }: Consulted): CaSummary {
  return {
    name: `${file.name} device CA`,
    crlNumber: crl.number,
    crlNextUpdate: crl.nextUpdate,
    devices: devices.length,
  };
}

async function readEarlier(directory: string): Promise<Crl[]> {
  try {
    return (await readEarlierCrls(directory)).map(readCrl);
  } catch (cause) {
    if (cause instanceof DerError) throw notAnExport(directory, 'its devices.crl is damaged', cause);
    throw cause;
  }
}
