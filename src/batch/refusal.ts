import { LinesideError } from '../errors.ts';

/** What a batch may not be: mistakes of everyday, such as the wrong stick, and what no honest writer makes. */
const policy = {
  'too-many-files': 'it has more than 16 files',
  'case-twins': 'it has files whose names differ only in case',
  'unknown-file': 'it has a file that no batch has, or that its manifest does not name',
  'missing-file': 'a file is missing',
  'not-regular': 'one of its files is a link, a directory or a device',
  'hard-link': 'one of its files has a second name',
  'too-large': 'it is larger than a batch may be',
  manifest: 'its manifest is not of the one form a manifest has',
  seal: 'its signature is not of the one form a signature has',
  'unknown-signer': 'it is not signed with the key of the one it should come from',
  pem: 'one of its files is not PEM of the one form, or not of what it should hold',
  empty: 'there is nothing in it',
  order: 'its requests are not in the order of the device ids',
  answers: 'it answers other requests than those that its devices were in',
  kind: 'it goes the other way: it is not of the kind expected here',
  station: 'it is for another station',
  authority: 'it is for or from another CA',
  replay: 'it was taken before, and later ones since',
  gap: 'one before it is missing',
} as const;

/** What only a change after the signing brings about, by a hand or by a bad medium; or two histories of one writer. */
const evidence = {
  signature: 'the signature does not hold',
  'other-manifest': 'the signature is that of another manifest',
  length: 'a file is longer or shorter than was signed',
  sha256: 'a file is not the one that was signed',
  changed: 'a file changed while it was read',
  checkpoint: 'its checkpoint is not one that the log of this station has signed',
  cosignature: 'the CA has not signed for the log of this station, or for another',
  'log-epoch': 'its log is of an epoch before the one that was seen last',
  'log-cut': 'its log is shorter than it was: what was logged since was taken away',
  'log-rewritten': 'its log does not begin with the log that was seen before: what was logged was changed',
  previous: 'it follows another batch than the one that was taken before it',
  fork: 'it is another batch than the one that was taken under its number',
} as const;

export type BatchRule = keyof typeof policy | keyof typeof evidence;

/** The refusal of a batch; fact `name` is the rule. `file` is the one it was found on. */
export function refusal(name: BatchRule, file?: string, cause?: unknown): LinesideError {
  const words =
    name in policy ? policy[name as keyof typeof policy] : evidence[name as keyof typeof evidence];
  const rule = file === undefined ? words : `${words} (${file})`;
  return new LinesideError(name in policy ? 'batch-refused' : 'batch-tampered', { rule, name }, { cause });
}
