import { marksIn } from './marks.ts';
import { places, textAndElse } from './residue.ts';
import { isPlain, writtenIn } from './text.ts';
import { keyNameOf, type Trial } from './trial.ts';

/** A private key that was seen in some bytes. */
export interface Sighting {
  readonly at: number;
  readonly form: string;
  /** SHA-256 of the SubjectPublicKeyInfo of its public key; null if it is a key of another kind. */
  readonly spkiSha256: string | null;
}

/**
 * Every private key in these bytes that is written in a form of its own (DER, PEM), and every one of a known public key
 * that stands there as bare bytes, in hex, base64 or numbers. Not found is a key in pieces, reversed, compressed or
 * encrypted.
 */
export function* sightingsIn(bytes: Buffer, trial: Trial): Generator<Sighting> {
  for (const { at, form, scalar } of marksIn(bytes))
    yield { at, form, spkiSha256: scalar ? keyNameOf(scalar) : null };
  for (const run of textAndElse(bytes)) {
    if (run.isText && isPlain(bytes, run, trial.known)) continue;
    if (run.isText) yield* inText(bytes.toString('latin1', run.from, run.to), run.from, trial);
    else yield* bare(bytes, run.from, run.to, trial);
  }
}

function* inText(text: string, from: number, trial: Trial): Generator<Sighting> {
  for (const { at, form, bytes } of writtenIn(text, trial.known)) {
    for (const mark of marksIn(bytes))
      yield {
        at: from + at,
        form: `${mark.form}, in ${form}`,
        spkiSha256: mark.scalar ? keyNameOf(mark.scalar) : null,
      };
    for (const { spkiSha256 } of bare(bytes, 0, bytes.length, trial))
      yield { at: from + at, form: `a key in ${form}`, spkiSha256 };
  }
}

function* bare(bytes: Buffer, from: number, to: number, trial: Trial): Generator<Sighting> {
  for (const at of places(bytes, { from, to }, trial.known)) {
    const spkiSha256 = trial.keyOf(bytes.subarray(at, at + 32));
    if (spkiSha256 !== undefined) yield { at, form: 'the bare bytes of a key', spkiSha256 };
  }
}
