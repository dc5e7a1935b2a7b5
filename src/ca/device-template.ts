import { randomBytes } from 'node:crypto';
import { pointLength } from '../public-key.ts';
import { keyIdentifier } from './extensions.ts';
import { type DeviceProfile, deviceTbs, type Issuer } from './profile.ts';
import { randomSerial } from './serial.ts';
import type { Validity } from './validity.ts';

/**
 * TBSCertificate DER made once by pkijs, with the places of what differs between two devices: all of one length, so
 * nothing else moves. Building each certificate with pkijs takes a dozen times as long as signing it.
 */
export interface DeviceTemplate {
  readonly tbs: Buffer;
  readonly serial: number;
  /** In CN and in serialNumber. */
  readonly ids: readonly number[];
  readonly publicKey: number;
  /** Of the subject key identifier; null where the profile has none. */
  readonly keyIdentifier: number | null;
}

/** As long as a device id, and of a character that no PrintableString has, so it is in no issuer's name. */
const placeholderId = '********';

export function makeDeviceTemplate(
  issuer: Issuer,
  profile: DeviceProfile,
  validity: Validity,
): DeviceTemplate {
  const serial = randomSerial();
  const publicKey = Buffer.concat([Buffer.of(4), randomBytes(pointLength - 1)]);
  const tbs = Buffer.from(deviceTbs(issuer, { serial, validity, publicKey }, placeholderId, profile));
  const [keyId = null] = placesOf(tbs, keyIdentifier(publicKey));
  return {
    tbs,
    serial: onePlaceOf(tbs, serial),
    ids: placesOf(tbs, Buffer.from(placeholderId)),
    publicKey: onePlaceOf(tbs, publicKey),
    keyIdentifier: keyId,
  };
}

/** The TBSCertificate of one device. */
export function fillDeviceTemplate(
  template: DeviceTemplate,
  serial: Uint8Array,
  id: string,
  publicKey: Uint8Array,
): Uint8Array {
  const tbs = Buffer.from(template.tbs);
  tbs.set(serial, template.serial);
  for (const place of template.ids) tbs.write(id, place, 'latin1');
  tbs.set(publicKey, template.publicKey);
  if (template.keyIdentifier !== null) tbs.set(keyIdentifier(publicKey), template.keyIdentifier);
  return tbs;
}

function onePlaceOf(bytes: Buffer, part: Uint8Array): number {
  const [place, ...others] = placesOf(bytes, part);
  if (place === undefined || others.length > 0) throw new Error('the template has no single place for it');
  return place;
}

function placesOf(bytes: Buffer, part: Uint8Array): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(part); at >= 0; at = bytes.indexOf(part, at + 1)) places.push(at);
  return places;
}
