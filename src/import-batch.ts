import type { PayloadFile } from './batch/manifest.ts';
import { placeOf } from './batch/place.ts';
import { type Batch, readBatch } from './batch/read.ts';
import { refusal } from './batch/refusal.ts';
import {
  certificateRefusal,
  type Chain,
  claimedId,
  verifyAnchors,
  verifyCertificate,
  verifyChain,
} from './certificate.ts';
import type { DeviceId } from './device.ts';
import { parseCheckpoint } from './log/checkpoint.ts';
import { witnessVerifier } from './log/cosignature.ts';
import { NoteError, openNote, type Verifier } from './note.ts';
import { parsePem } from './pem.ts';
import type { NewCertificate } from './registry/batch.ts';
import type { Registry } from './registry/registry.ts';
import type { Station } from './station-directory.ts';
import { rootAt } from './station-log.ts';
import { trustedAuthority } from './trusted-authority.ts';
import { keyName } from './verifier-file.ts';

export interface Imported {
  /** `already`: this very batch was taken before, and nothing was changed now. */
  readonly result: 'imported' | 'already';
  readonly sequence: number;
  readonly sha256: string;
  /** The units that have a certificate through it, and had none. */
  readonly units: readonly DeviceId[];
}

/**
 * Takes a batch of certificates: all of it, or nothing. Everything is checked before the registry is told, and the
 * registry takes it in one transaction, so a cut at any moment leaves the batch to be imported again.
 * @throws LinesideError `authority-missing`, `batch-…`, `certificate-…`, `serial-in-use`, `illegal-transition`
 */
export async function importBatch({ file, registry }: Station, path: string): Promise<Imported> {
  const authority = await trustedAuthority(registry);
  const batch = await readBatch(path, [authority]);
  const { manifest, sha256, bytes, payload } = batch;
  if (manifest.kind !== 'certificates') throw refusal('kind');
  const { sequence, previous } = manifest;
  const last = await registry.lastBatch('in');
  const due = {
    kind: 'certificates',
    station: file.name,
    authorities: [keyName(authority)],
    last,
  } as const;
  if (placeOf(batch, due) === 'last') return { result: 'already', sequence, sha256, units: [] };

  const chain = verifyChain(contents(batch, 'chain.pem', 'CERTIFICATE'));
  if (payload.has('anchors.pem')) verifyAnchors(contents(batch, 'anchors.pem', 'CERTIFICATE'));
  if (payload.has('crl.pem')) contents(batch, 'crl.pem', 'X509 CRL');
  const checkpoint = payload.get('checkpoint');
  if (checkpoint) await mustBeCosigned(registry, checkpoint, authority);
  const certificates: NewCertificate[] = [];
  for (const der of contents(batch, 'certificates.pem', 'CERTIFICATE'))
    certificates.push(await verified(registry, der, chain, manifest));

  const files = new Map([...payload].filter(([name]) => name !== 'certificates.pem'));
  const taken = { sequence, previous, sha256, manifest: bytes };
  return {
    result: 'imported',
    sequence,
    sha256,
    units: await registry.importBatch(taken, certificates, files),
  };
}

/** What the CA says it has seen of the log must be the log of this registry: with its name on it, it is evidence. */
async function mustBeCosigned(registry: Registry, note: Uint8Array, authority: Verifier): Promise<void> {
  try {
    const { size, root } = parseCheckpoint(openNote(note, [witnessVerifier(authority)]));
    if ((await rootAt(registry, size)).equals(root)) return;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw refusal('cosignature', 'checkpoint', cause);
  }
  throw refusal('cosignature', 'checkpoint');
}

function contents({ payload }: Batch, file: PayloadFile, label: string): readonly Uint8Array[] {
  const ders = parsePem(label, Buffer.from(payload.get(file) ?? []).toString('latin1'));
  if (ders === undefined) throw refusal('pem', file);
  return ders;
}

/** The certificate as an answer to a request this station has sent. */
async function verified(
  registry: Registry,
  der: Uint8Array,
  chain: Chain,
  { answers, generation }: { readonly answers: string | null; readonly generation: number },
): Promise<NewCertificate> {
  const unit = await registry.find(claimedId(der));
  if (!unit?.csr) throw certificateRefusal('unknown-device');
  const serial = await verifyCertificate(der, unit.csr, chain);
  if (answers !== null && unit.batch !== null) {
    const asked = await registry.findBatch('out', unit.batch);
    if (asked?.sha256 !== answers) throw refusal('answers');
  }
  return { id: unit.id, generation, der, serial };
}
