import { createHash, sign } from 'node:crypto';
import { join } from 'node:path';
import type { OpenAuthority } from '../../src/authority-directory.ts';
import { unlock } from '../../src/authority-keys.ts';
import { composeManifest, hashOf } from '../../src/batch/manifest.ts';
import { writeBatch } from '../../src/batch/write.ts';
import { insertLease, insertStation } from '../../src/ca/ledger/station-rows.ts';
import { parseLease } from '../../src/device.ts';
import type { Provenance } from '../../src/issue-devices.ts';
import { makeSigner, type Signer } from '../../src/note.ts';
import { formatPem } from '../../src/pem.ts';
import { type Signed, signBatch, type Submission } from '../../src/sign-batch.ts';
import { keyName } from '../../src/verifier-file.ts';
import { consistency, treeHash } from './rfc6962.ts';

/** A station that is only its key and its log, so that a test can make it send what no honest one would. */
export interface Sender {
  readonly key: Signer;
  readonly authority: OpenAuthority;
  /** The leaves of its log, of which the CA sees a hash. */
  readonly log: string[];
  /** Of the batch before. */
  last: { sequence: number; sha256: string; size: number };
}

export async function trustedSender(authority: OpenAuthority, lease = '00000001-FFFFFFFE'): Promise<Sender> {
  const key = makeSigner('st07');
  const { name, line } = key.verifier;
  await authority.ledger.transaction(async (sql) => {
    await insertStation(sql, { name, verifier: line }, 'test', new Date());
    await insertLease(sql, name, parseLease(lease), 'test', new Date());
  });
  return { key, authority, log: ['begin'], last: { sequence: 0, sha256: '0'.repeat(64), size: 0 } };
}

/** What of a batch is to be other than it should be. */
export interface Change {
  readonly header?: object;
  readonly signer?: Signer;
  readonly checkpoint?: string;
  readonly consistency?: string;
  readonly requests?: string;
}

/** Writes the next batch with these requests and returns its place; the next one follows it. */
export async function submit(
  sender: Sender,
  workshop: string,
  requests: readonly Uint8Array[],
  change: Change = {},
): Promise<string> {
  const { key, log, last, authority } = sender;
  log.push(`batch ${last.sequence + 1}`);
  const leaves = log.map((leaf) => Buffer.from(leaf));
  const proof = last.size > 0 ? consistency(last.size, leaves) : [];
  const lines = proof.map((hash) => `${hash.toString('base64')}\n`).join('');
  const pem = requests.map((der) => formatPem('CERTIFICATE REQUEST', der)).join('');
  const contents = new Map([
    ['checkpoint', Buffer.from(change.checkpoint ?? checkpointOf(key, leaves))],
    ['consistency', Buffer.from(change.consistency ?? lines)],
    ['requests.pem', Buffer.from(change.requests ?? pem)],
  ] as const);
  const header = {
    kind: 'requests' as const,
    station: 'st07',
    authority: keyName(authority.exchange),
    sequence: last.sequence + 1,
    previous: last.sha256,
    ...change.header,
  };
  const manifest = composeManifest(header, contents);
  const path = join(workshop, `${header.sequence}-${hashOf(manifest).slice(0, 8)}`);
  await writeBatch(path, manifest, contents, change.signer ?? key);
  sender.last = { sequence: header.sequence, sha256: hashOf(manifest), size: leaves.length };
  return path;
}

/** Written by hand: see https://c2sp.org/tlog-checkpoint. */
export function checkpointOf(
  { privateKey, verifier }: Signer,
  leaves: readonly Uint8Array[],
  epoch = 1,
): string {
  const origin = `lineside/${verifier.name}/${epoch}`;
  const text = `${origin}\n${leaves.length}\n${treeHash(leaves).toString('base64')}\n`;
  const raw = verifier.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const hashed = Buffer.concat([Buffer.from(`${origin}\n`), Buffer.of(0x01), raw]);
  const id = createHash('sha256').update(hashed).digest().subarray(0, 4);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${origin} ${signature.toString('base64')}\n`;
}

export const password = () => Buffer.from('correct horse battery staple');

export interface Reply extends Signed {
  readonly submission: Submission;
}

/** An officer who agrees to everything and remembers what he was shown. */
export async function answered(
  authority: OpenAuthority,
  path: string,
  out: string,
  by: Provenance,
): Promise<Reply> {
  let shown: Submission | undefined;
  const signed = await signBatch(authority, path, out, by, {
    consent: (submission, use) => {
      shown = submission;
      return unlock(authority, password(), use);
    },
    progress: () => {},
  });
  if (shown === undefined) throw new Error('nothing was shown');
  return { ...signed, submission: shown };
}
