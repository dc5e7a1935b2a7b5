import type { BatchKind, Manifest } from './manifest.ts';
import type { Batch } from './read.ts';
import { refusal } from './refusal.ts';

/** What the reader is waiting for. */
export interface Due {
  readonly kind: BatchKind;
  readonly station: string;
  /** Name and hash of the CA's verifier key. */
  readonly authority: string;
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
  mustBeFor(manifest, due);
  const last = due.last ?? { sequence: 0, sha256: noBatch };
  const { sequence, previous } = manifest;
  if (sequence === last.sequence && sha256 === last.sha256) return 'last';
  if (sequence === last.sequence) throw refusal('fork');
  if (sequence < last.sequence) throw refusal('replay');
  if (sequence > last.sequence + 1) throw refusal('gap');
  if (previous !== last.sha256) throw refusal('previous');
  return 'next';
}

function mustBeFor(manifest: Manifest, { kind, station, authority }: Due): void {
  if (manifest.kind !== kind) throw refusal('kind');
  if (manifest.station !== station) throw refusal('station');
  if (manifest.authority !== authority) throw refusal('authority');
}
