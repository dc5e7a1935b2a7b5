import { createHash } from 'node:crypto';
import type { AuthorityDirectory, OpenAuthority } from './authority-directory.ts';
import { composeManifest, hashOf, parseManifest, type PayloadFile, type Streamed } from './batch/manifest.ts';
import { noBatch } from './batch/place.ts';
import { writeBatch } from './batch/write.ts';
import {
  type BatchFile,
  batchCertificates,
  batchFiles,
  insertBatch,
  insertBatchCertificates,
  insertBatchFiles,
  lastPlace,
  type LedgerBatch,
} from './ca/ledger/batch-rows.ts';
import type { IssuedCertificate } from './ca/ledger/certificate-rows.ts';
import { successionOf } from './ca/ledger/succession-rows.ts';
import type { Provenance } from './issue-devices.ts';
import type { Signer } from './note.ts';
import { formatPem } from './pem.ts';
import type { Statements } from './sqlite/statements.ts';
import { keyName } from './verifier-file.ts';

/*
 * A batch of certificates for a station: first on record, to the byte, then on a stick. Of a hundred thousand
 * certificates only the serial numbers and the hash of their PEM are held; the rest comes from the ledger as it is
 * written.
 */

/** Certificates in the order in which they will be written, as far as they have been added. */
export class CertificateList {
  readonly serials: string[] = [];
  readonly #hash = createHash('sha256');
  #length = 0;

  add(certificates: readonly IssuedCertificate[]): void {
    const pem = certificatesPem(certificates.map(({ der }) => der));
    this.#hash.update(pem);
    this.#length += pem.length;
    for (const { serial } of certificates) this.serials.push(serial);
  }

  /** Nothing is added any more. */
  digest(): Omit<Streamed, 'read'> {
    return { length: this.#length, sha256: this.#hash.digest('hex') };
  }
}

/**
 * Puts the next batch for a station on record; `answers` as in its manifest.
 * @param checkpoint how far its log had come, with the CA's name on it; null for what was not asked for
 */
export async function recordAnswer(
  sql: Statements,
  authority: AuthorityDirectory,
  { station, answers }: Pick<LedgerBatch, 'station' | 'answers'>,
  list: CertificateList,
  checkpoint: string | null,
  { officer, now }: Provenance,
): Promise<LedgerBatch> {
  const last = await lastPlace(sql, station, 'out');
  const place = { sequence: (last?.sequence ?? 0) + 1, previous: last?.sha256 ?? noBatch };
  const succession = await successionOf(sql);
  const files = new Map<BatchFile, Uint8Array>([
    ['chain.pem', chainFile(authority)],
    ['anchors.pem', anchorsFile(authority, succession?.brokerAnchor ?? null)],
  ]);
  if (checkpoint !== null) files.set('checkpoint', Buffer.from(checkpoint));
  const manifest = composeManifest(
    {
      kind: 'certificates',
      station,
      authority: keyName(authority.exchange),
      ...place,
      answers,
      generation: succession?.generation ?? 1,
    },
    new Map<PayloadFile, Uint8Array | Omit<Streamed, 'read'>>([
      ...files,
      ['certificates.pem', list.digest()],
    ]),
  );
  const batch = { station, direction: 'out', ...place, manifest, sha256: hashOf(manifest), answers } as const;
  await insertBatch(sql, batch, officer, now);
  await insertBatchFiles(sql, batch, files);
  await insertBatchCertificates(sql, batch, list.serials);
  return batch;
}

/** Writes a batch that is on record. @throws LinesideError as `writeBatch` */
export async function writeAnswer(
  { ledger }: OpenAuthority,
  answer: LedgerBatch,
  target: string,
  signer: Signer,
): Promise<void> {
  const { files } = parseManifest(answer.manifest);
  const contents = new Map<PayloadFile, Uint8Array | Streamed>(
    await ledger.transaction((sql) => batchFiles(sql, answer)),
  );
  for (const { name, length, sha256 } of files)
    if (name === 'certificates.pem')
      contents.set(name, { length, sha256, read: () => certificatesOf(ledger, answer) });
  await writeBatch(target, answer.manifest, contents, signer);
}

async function* certificatesOf(ledger: OpenAuthority['ledger'], answer: LedgerBatch): AsyncGenerator<Buffer> {
  for await (const page of batchCertificates(ledger, answer))
    yield certificatesPem(page.map(({ der }) => der));
}

/** Who issued the devices' certificates, then the root above it if there is one. */
export function chainFile({ certificates, anchors }: AuthorityDirectory): Buffer {
  const { device } = certificates;
  return certificatesPem(anchors.device === device ? [device] : [device, anchors.device]);
}

/**
 * Whom devices believe to be their broker's CA. During the change-over from another CA that is the one before as well:
 * brokers change one after the other.
 */
export function anchorsFile({ anchors }: AuthorityDirectory, before: Uint8Array | null): Buffer {
  return certificatesPem(before === null ? [anchors.broker] : [anchors.broker, before]);
}

export function certificatesPem(ders: readonly Uint8Array[]): Buffer {
  return Buffer.from(ders.map((der) => formatPem('CERTIFICATE', der)).join(''));
}
