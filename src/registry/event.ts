import { createHash } from 'node:crypto';
import type { DeviceId, Lease, UnitState } from '../device.ts';
import type { Direction, NewBatch, NewCertificate } from './batch.ts';
import type { LogEvent, NewEpoch } from './log.ts';
import type { BatchStep, Step } from './registry.ts';

/** Events as every database writes them; the time is added at the write. */
export function leaseAccepted(lease: Lease): LogEvent {
  return { ev: 'lease.accept', lease: `${lease.first}-${lease.last}` };
}

export function leaseClosed(lease: Lease): LogEvent {
  return { ev: 'lease.close', lease: `${lease.first}-${lease.last}` };
}

export function epochOpened(epoch: NewEpoch): LogEvent {
  return { ev: 'epoch.open', ...epoch };
}

export function unitReserved(id: DeviceId): LogEvent & { readonly id: DeviceId } {
  return { ev: 'unit.reserved', id, to: 'reserved' };
}

export function unitAdvanced(
  id: DeviceId,
  from: UnitState,
  step: Step | BatchStep,
): LogEvent & { readonly id: DeviceId } {
  return { ev: `unit.${step.to}`, id, from, to: step.to, ...learned(step) };
}

/** A certificate for a unit that had one: its state stays, and the board learns of it in the next pass. */
export function unitReissued(
  batch: number,
  { id, generation, der }: NewCertificate,
): LogEvent & { readonly id: DeviceId } {
  return { ev: 'unit.reissued', id, batch, cert: sha256Of(der), generation };
}

export function authorityTrusted(signer: string): LogEvent {
  return { ev: 'authority.trust', signer };
}

export function batchTaken(direction: Direction, { sequence, sha256 }: NewBatch): LogEvent {
  return { ev: direction === 'out' ? 'export.batch' : 'import.batch', batch: sequence, manifest: sha256 };
}

export function batchWritten(sequence: number): LogEvent {
  return { ev: 'export.written', batch: sequence };
}

function learned(step: Step | BatchStep): Omit<LogEvent, 'ev'> {
  switch (step.to) {
    case 'keyed':
      return { csr: sha256Of(step.csr), spki: step.spkiSha256 };
    case 'flashing':
      return { uid: step.uid, probe: step.probe, fw: step.firmwareSha256 };
    case 'flashed':
      return {};
    case 'verified':
      return { proof: step.proof, locked: step.locked };
    case 'exported':
      return { batch: step.batch };
    case 'certified':
      return {
        batch: step.batch,
        cert: sha256Of(step.certificate.der),
        generation: step.certificate.generation,
      };
    case 'installed':
      return { generation: step.generation, locked: step.locked };
    case 'void':
      return { reason: step.reason };
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
