import { sign, verify } from 'node:crypto';
import {
  addSignature,
  noteText,
  type SignatureType,
  type Signer,
  type Verifier,
  verifierAs,
} from '../note.ts';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';

/*
 * Cosignatures (https://c2sp.org/tlog-cosignature): a witness says "at this time this was the largest tree of this
 * log that I have seen, and it begins with every one I saw before". Ed25519 is the type that Node has.
 */

const timeLength = 8;

/** "timestamped_signature": the time in seconds as a big-endian u64, then Ed25519 over a message with that time. */
const timestamped: SignatureType = {
  byte: 0x04,
  holds(text, signature, publicKey) {
    if (signature.length !== timeLength + 64) return false;
    const seconds = secondsOf(signature);
    if (seconds > 2n ** 63n - 1n) return false; // "It MUST NOT exceed 2^63 - 1"
    return verify(null, message(seconds, text), publicKey, signature.subarray(timeLength));
  },
};

/** What the cosignatures of a witness are checked with, from the key it signs other things with. */
export function witnessVerifier(witness: Verifier): Verifier {
  return verifierAs(witness, witness.name, timestamped);
}

/**
 * The checkpoint with the cosignature of a witness, who must have made sure that it extends all it has cosigned.
 * @throws NoteError as `openCheckpoint`: nothing is cosigned that the log has not signed
 */
export function cosign(note: string, log: Verifier, witness: Signer, time: Date): string {
  openCheckpoint(Buffer.from(note), log);
  const text = noteText(Buffer.from(note));
  const seconds = BigInt(Math.floor(time.getTime() / 1000));
  const stamp = Buffer.alloc(timeLength);
  stamp.writeBigUInt64BE(seconds);
  const signature = sign(null, message(seconds, text), witness.privateKey);
  return addSignature(note, witnessVerifier(witness.verifier), Buffer.concat([stamp, signature]));
}

/** Who has cosigned a checkpoint, of those it was opened with, and when. */
export function cosignaturesOn({ held }: OpenedCheckpoint): { witness: Verifier; time: Date }[] {
  return held
    .filter(({ verifier }) => verifier.type === timestamped)
    .map(({ verifier, signature }) => ({
      witness: verifier,
      time: new Date(Number(secondsOf(signature)) * 1000),
    }));
}

function message(seconds: bigint, text: string): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function secondsOf(signature: Uint8Array): bigint {
  return Buffer.from(signature).readBigUInt64BE();
}
