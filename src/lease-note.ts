import { type Lease, parseLease } from './device.ts';
import { LinesideError } from './errors.ts';
import { openNote, type Signer, signNote, type Verifier } from './note.ts';

/*
 * A lease on its way from the CA to a station: a signed note (https://c2sp.org/signed-note) of three lines. The first
 * says what it is, because the same key signs other things.
 */
const title = 'lineside lease v1';

export function writeLease(station: string, { first, last }: Lease, signer: Signer): string {
  return signNote(`${title}\n${station}\n${first}-${last}\n`, signer);
}

/**
 * @param path where the note was found, for the error
 * @throws LinesideError `lease-invalid` unless this CA leased it to this station
 */
export function readLease(path: string, note: Uint8Array, authority: Verifier, station: string): Lease {
  try {
    const [first, name, lease = '', ...rest] = openNote(note, [authority]).split('\n');
    if (first !== title || rest.join('\n') !== '') throw new Error('it is another kind of note');
    if (name !== station) throw new Error('it is for another station');
    return parseLease(lease);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LinesideError('lease-invalid', { path, reason }, { cause });
  }
}
