import { createHash } from 'node:crypto';
import type { DeviceId, Lease, UnitState } from '../device.ts';
import type { LogEvent, Step } from './registry.ts';

/** Events as every database writes them; the time is added at the write. */
export function leaseAccepted(lease: Lease): LogEvent {
  return { ev: 'lease.accept', lease: `${lease.first}-${lease.last}` };
}

export function unitReserved(id: DeviceId): LogEvent & { readonly id: DeviceId } {
  return { ev: 'unit.reserved', id, to: 'reserved' };
}

export function unitAdvanced(id: DeviceId, from: UnitState, step: Step): LogEvent {
  return { ev: `unit.${step.to}`, id, from, to: step.to, ...learned(step) };
}

function learned(step: Step): Omit<LogEvent, 'ev'> {
  switch (step.to) {
    case 'keyed':
      return { csr: createHash('sha256').update(step.csr).digest('hex'), spki: step.spkiSha256 };
    case 'flashing':
      return { uid: step.uid, probe: step.probe, fw: step.firmwareSha256 };
    case 'flashed':
      return {};
    case 'verified':
      return { proof: step.proof, locked: step.locked };
    case 'void':
      return { reason: step.reason };
  }
}
