import { createHash } from 'node:crypto';
import type { UnitFacts } from '../unit-line.ts';
import type { UnitRecord } from './registry.ts';

/** A unit as the registry's digest has it. */
export function unitFacts({ csr, certificate, spkiSha256, firmwareSha256, ...rest }: UnitRecord): UnitFacts {
  return {
    ...rest,
    csr: csr && sha256(csr),
    certificate: certificate && sha256(certificate),
    spki: spkiSha256,
    firmware: firmwareSha256,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
