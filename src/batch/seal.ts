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

/**
 * Which of `known` signed exactly this manifest. The first of them to be named on it counts: a batch has one signer.
 * @throws LinesideError `batch-refused`, `batch-tampered` if none did
 */
export function sealerOf(manifest: Uint8Array, note: Uint8Array, known: readonly Verifier[]): Verifier {
  for (const verifier of known) {
    const text = textSignedBy(verifier, note);
    if (text === sealText(manifest)) return verifier;
    if (text !== undefined) throw refusal('other-manifest');
  }
  throw refusal('unknown-signer');
}

/** Undefined if it is not on the note. */
function textSignedBy(verifier: Verifier, note: Uint8Array): string | undefined {
  try {
    return openNote(note, [verifier]);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    if (error.rule === 'unknown-signer') return undefined;
    throw refusal(error.rule === 'signature' ? 'signature' : 'seal', undefined, error);
  }
}
