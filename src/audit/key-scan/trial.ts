import { createECDH } from 'node:crypto';
import { spkiSha256 } from '../../public-key.ts';
import type { KnownValues } from './known-values.ts';

const atOnce = 4096;

/** Finds out whether bytes are the private key of a known public one. About 20 µs each, so not without end. */
export class Trial {
  readonly known: KnownValues;
  #left: number;
  #tried = new Set<string>();
  /** How many bytes there were to be tried. */
  count = 0;

  constructor(known: KnownValues, most: number) {
    this.known = known;
    this.#left = most;
  }

  /** Whether some could not be tried any more. */
  get isOver(): boolean {
    return this.count > this.#left;
  }

  /** SHA-256 of the SubjectPublicKeyInfo of the known public key whose private key these 32 bytes are. */
  keyOf(scalar: Buffer): string | undefined {
    const name = scalar.toString('latin1');
    if (this.#tried.has(name)) return undefined;
    this.count += 1;
    if (this.count > this.#left) return undefined;
    const point = publicPointOf(scalar);
    if (point && this.known.has(point, 1)) return spkiSha256(point);
    if (this.#tried.size === atOnce) this.#tried = new Set();
    this.#tried.add(name); // not a key: the hash of a firmware, say, which is met once for each unit
    return undefined;
  }
}

/** The same of a key that a mark gives away, whoever's it is. */
export function keyNameOf(scalar: Uint8Array): string | null {
  const point = publicPointOf(scalar);
  return point ? spkiSha256(point) : null;
}

const curve = createECDH('prime256v1');

/** 04‖X‖Y of the key that has this scalar, as nearly all 32 bytes are one. */
function publicPointOf(scalar: Uint8Array): Buffer | undefined {
  if (scalar.length !== 32) return undefined;
  try {
    curve.setPrivateKey(scalar);
    return curve.getPublicKey();
  } catch {
    return undefined; // zero, or not below the order of the curve
  }
}
