import type { Lease } from './device.ts';
import { LinesideError, systemWords } from './errors.ts';
import { readLease } from './lease-note.ts';
import type { Station } from './station-directory.ts';
import { trustedAuthority } from './trusted-authority.ts';
import { readSmallFile } from './verifier-file.ts';

/**
 * Takes a lease that came from the CA; the same one again is nothing.
 * @throws LinesideError `authority-missing`, `lease-invalid`, `lease-overlaps`
 */
export async function takeLease(
  { file, registry }: Station,
  path: string,
): Promise<{ readonly result: 'taken' | 'already'; readonly lease: Lease }> {
  const authority = await trustedAuthority(registry);
  const lease = readLease(path, await noteIn(path), authority, file.name);
  for (const { lease: known } of await registry.leases())
    if (known.first === lease.first && known.last === lease.last) return { result: 'already', lease };
  await registry.addLease(lease);
  return { result: 'taken', lease };
}

async function noteIn(path: string): Promise<Uint8Array> {
  try {
    return await readSmallFile(path);
  } catch (cause) {
    throw new LinesideError('lease-invalid', { path, reason: systemWords(cause) }, { cause });
  }
}
