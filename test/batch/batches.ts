import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeSigner, type Signer, signNote } from '../../src/note.ts';

/*
 * Batches written by hand, so that a test can write any that the writer would not: another implementation of
 * docs/batches.md.
 */

export const station = makeSigner('st07');
export const authority = makeSigner('acme-ca');
export const authorityName = `acme-ca+${authority.verifier.hash}`;

export const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

export const requests = `-----BEGIN CERTIFICATE REQUEST-----\n${'QUJD'.repeat(16)}\n-----END CERTIFICATE REQUEST-----\n`;

/** What of the log goes with requests; here nobody looks into them. */
export const checkpoint = 'lineside/st07/1\n42\n';
export const consistency = 'QUJD\n';
const payload = { checkpoint, consistency, 'requests.pem': requests };
const entries = Object.entries(payload).map(([name, text]) => ({
  length: text.length,
  name,
  sha256: sha256(text),
}));

/** The fields of a good manifest, in canonical order. */
export const fields = {
  authority: authorityName as unknown,
  files: entries as unknown,
  kind: 'requests' as unknown,
  previous: '0'.repeat(64) as unknown,
  schema: 1 as unknown,
  sequence: 1 as unknown,
  station: 'st07' as unknown,
};

export type Files = Record<string, string | Uint8Array>;

/** A batch of this manifest, signed, with these other files. */
export function signed(manifest: string, signer: Signer = station, files: Files = payload) {
  const note = signNote(`lineside batch v1\n${sha256(manifest)}\n`, signer);
  return { 'manifest.json': manifest, 'manifest.sig': note, ...files } as Files;
}

export const good = (change: Partial<typeof fields> = {}) => signed(JSON.stringify({ ...fields, ...change }));

/** A directory that goes with the test. */
export async function workshop(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-batch-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function onMedium(files: Files): Promise<string> {
  const directory = join(await workshop(), 'batch');
  await mkdir(directory);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}
