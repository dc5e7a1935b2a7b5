import { NoteError, openNote, type Signer, signNote, type Verifier } from '../note.ts';
import { hashOf } from './manifest.ts';
import { refusal } from './refusal.ts';

/** The signature of a batch: a signed note (https://c2sp.org/signed-note). */
export const sealFile = 'manifest.sig';
/** 16 signatures of 64 bytes with long names; a manifest's has one. */
export const maximumSeal = 16 * 1024;

/**
 * What is signed: the hash of the manifest's bytes under a line that says what it is the hash of. The key of a
 * station will sign other things too, and none of them must pass for a batch.
 */
function sealText(manifest: Uint8Array): string {
  return `lineside batch v1\n${hashOf(manifest)}\n`;
}

export function seal(manifest: Uint8Array, signer: Signer): Uint8Array {
  return Buffer.from(signNote(sealText(manifest), signer));
}

/** @throws LinesideError `batch-refused`, `batch-tampered` unless `from` signed exactly this manifest */
export function mustBeSealed(manifest: Uint8Array, note: Uint8Array, from: Verifier): void {
  if (open(note, from) !== sealText(manifest)) throw refusal('other-manifest');
}

function open(note: Uint8Array, from: Verifier): string {
  try {
    return openNote(note, [from]);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    const known = error.rule === 'unknown-signer' || error.rule === 'signature';
    throw refusal(known ? error.rule : 'seal', undefined, error);
  }
}
