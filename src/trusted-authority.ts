import { LinesideError } from './errors.ts';
import { readVerifier, type Verifier } from './note.ts';
import type { Registry } from './registry/registry.ts';
import { signerSha256 } from './station-key.ts';

/**
 * From here on batches go to this CA, and those that it signed are taken. A successor takes over the numbers of the
 * batches with the stations of the CA before it (`ca reissue`).
 * @throws LinesideError `authority-differs`
 */
export function trustAuthority(
  registry: Registry,
  authority: Verifier,
  as: 'first' | 'successor',
): Promise<void> {
  return registry.trust(authority.line, signerSha256(authority), as);
}

/** @throws LinesideError `authority-missing`, `authority-differs` unless this is the CA that is trusted now */
export async function mustBeTrusted(registry: Registry, verifier: string): Promise<void> {
  const known = await trustedAuthority(registry);
  if (known.line !== verifier) throw new LinesideError('authority-differs', { known: known.line });
}

/** @throws LinesideError `authority-missing` */
export async function trustedAuthority(registry: Registry): Promise<Verifier> {
  const line = await registry.authority();
  if (line === undefined) throw new LinesideError('authority-missing');
  return readVerifier(line);
}
