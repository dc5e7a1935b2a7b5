import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { anchorsFile, certificatesPem, chainFile } from './answer-batch.ts';
import type { OpenAuthority } from './authority-directory.ts';
import { composeManifest, type PayloadFile, type Streamed } from './batch/manifest.ts';
import { writeBatch } from './batch/write.ts';
import { type Reissued, reissuedOf } from './ca/ledger/fleet-rows.ts';
import { successionOf } from './ca/ledger/succession-rows.ts';
import { canonicalJson } from './canonical-json.ts';
import type { DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { readVerifier, type Signer } from './note.ts';
import { formatPem } from './pem.ts';
import { keyName } from './verifier-file.ts';

/** A device that gets no certificate from the new CA, and why. */
export interface Gap {
  readonly id: DeviceId;
  readonly gap: /** Its certificate was revoked. */
    | 'revoked'
    /** Its certificate has ended. */
    | 'expired'
    /** The CA before certified it, and no registry knows it. */
    | 'missing'
    /** A registry has given it up. */
    | 'void'
    /** A registry has another request than the CA before certified. */
    | 'differs'
    /** A registry knows it, and the CA before never certified it. */
    | 'uncertified';
}

/**
 * Writes `target`/fleet: what the cloud needs to bring every device to the new CA. All of it comes from the ledger, so
 * that the same is written as often as need be.
 * @throws LinesideError `directory-unwritable`, and those of `writeBatch`
 */
export async function writeFleet(
  authority: OpenAuthority,
  gaps: readonly Gap[],
  target: string,
  signer: Signer,
): Promise<void> {
  const { ledger, exchange } = authority;
  const succession = await ledger.transaction(successionOf);
  if (succession === undefined)
    throw new LinesideError('internal', { reason: 'a fleet without a predecessor' });
  const { predecessor, generation, deviceAnchor, brokerAnchor } = succession;
  const read = () => devicesOf(ledger, generation);
  const contents = new Map<PayloadFile, Uint8Array | Streamed>([
    ['devices.jsonl', { ...(await digestOf(read())), read }],
    ['gaps.jsonl', Buffer.from(gaps.map((gap) => `${canonicalJson({ ...gap })}\n`).join(''))],
    ['chain.pem', chainFile(authority)],
    ['anchors.pem', anchorsFile(authority, brokerAnchor)],
    ['device-anchors.pem', certificatesPem([authority.anchors.device, deviceAnchor])],
  ]);
  const manifest = composeManifest(
    {
      kind: 'fleet',
      authority: keyName(exchange),
      predecessor: keyName(readVerifier(predecessor)),
      generation,
    },
    contents,
  );
  await writeBatch(join(target, 'fleet'), manifest, contents, signer);
}

async function* devicesOf(ledger: OpenAuthority['ledger'], generation: number): AsyncGenerator<Buffer> {
  for await (const page of reissuedOf(ledger))
    yield Buffer.from(page.map((device) => `${canonicalJson(lineOf(device, generation))}\n`).join(''));
}

function lineOf({ certificate, replaces }: Reissued, generation: number) {
  const { id, serial, spkiSha256, csrSha256, der } = certificate;
  return {
    id,
    generation,
    serial,
    replaces,
    spkiSha256,
    csrSha256,
    certificate: formatPem('CERTIFICATE', der),
  };
}

async function digestOf(content: AsyncIterable<Uint8Array>): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const bytes of content) {
    hash.update(bytes);
    length += bytes.length;
  }
  return { length, sha256: hash.digest('hex') };
}
