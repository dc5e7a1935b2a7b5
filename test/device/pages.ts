import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import { type CredentialsPage, encodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { encodeIdentityPage, identityPageLength } from '../../src/factory-data/identity-page.ts';
import type { Certified } from './pki.ts';

export const id: DeviceId = parseDeviceId('ABCD1234');

export function identityPage(device: Certified, as = id): Uint8Array {
  const page = new Uint8Array(identityPageLength);
  encodeIdentityPage(page, as, device.publicKey, device.privateKey);
  return page;
}

export function credentialsPage(
  device: Certified,
  anchor: Certified,
  change: Partial<CredentialsPage> = {},
): Uint8Array {
  return encodeCredentialsPage({
    generation: 1,
    certificate: device.der,
    intermediates: [],
    trustAnchors: [anchor.der],
    brokerNames: ['broker.example'],
    firmwareKey: undefined,
    ...change,
  });
}
