import type { BatchKind } from './manifest.ts';
import type { Batch } from './read.ts';
import { refusal } from './refusal.ts';

/** What the reader is waiting for. */
export interface Due {
  readonly kind: BatchKind;
  readonly station: string;
  /** Name and hash of the CA's verifier key, and of the CA before it, to which requests may still be addressed. */
  readonly authorities: readonly string[];
  /** The last batch that was taken in this direction. */
  readonly last: { readonly sequence: number; readonly sha256: string } | undefined;
}

/** The hash that the first batch has for the one before it. */
export const noBatch = '0'.repeat(64);

/**
 * Where a batch stands: `next` is to be taken, `last` was taken and may come again (the stick was left in, or power
 * failed before anybody saw the answer). Nothing else is let pass.
 * @throws LinesideError `batch-refused`, `batch-tampered`
 */
export function placeOf({ manifest, sha256 }: Batch, due: Due): 'next' | 'last' {
  if (manifest.kind === 'fleet' || manifest.kind !== due.kind) throw refusal('kind');
  if (manifest.station !== due.station) throw refusal('station');
  if (!due.authorities.includes(manifest.authority)) throw refusal('authority');
  const last = due.last ?? { sequence: 0, sha256: noBatch };
  const { sequence, previous } = manifest;
  if (sequence === last.sequence && sha256 === last.sha256) return 'last';
  if (sequence === last.sequence) throw refusal('fork');
  if (sequence < last.sequence) throw refusal('replay');
  if (sequence > last.sequence + 1) throw refusal('gap');
  if (previous !== last.sha256) throw refusal('previous');
  return 'next';
}
