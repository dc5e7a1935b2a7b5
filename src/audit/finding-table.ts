import type { Severity } from './finding.ts';

interface Entry {
  readonly severity: Severity;
  readonly words: string;
  readonly advice: string;
}

const keep = 'stop the line, keep this PC as it is, and compare with the copies that QA and the CA have';
const revoke = 'revoke the certificate of each unit named, and make the boards new under new ids';

/**
 * Everything an audit can say. `{name}` is filled in from the facts of the case. docs/audit.md repeats this table and a
 * test holds the two together.
 */
export const findingTable = {
  'registry-unsound': {
    severity: 'tamper',
    words: 'SQLite finds the registry unsound: {problem}',
    advice: `${keep}; if the disk is failing, restore the backup`,
  },
  'schema-differs': {
    severity: 'tamper',
    words: 'the {type} {name} of the registry is {how}',
    advice: `somebody took a rule of the registry off: ${keep}`,
  },
  'audit-cut-short': {
    severity: 'doubt',
    words: 'the audit could not go on: {problem}',
    advice: 'restore the tables of the registry on a copy, and audit that',
  },
  'log-tampered': { severity: 'tamper', words: 'the log: {problem}: {means}', advice: keep },
  'log-notice': { severity: 'notice', words: 'the log: {problem}', advice: '{means}' },
  'row-differs': {
    severity: 'tamper',
    words: 'unit {id}: {field} is {found} in the registry and {told} by the log',
    advice: keep,
  },
  'row-missing': {
    severity: 'tamper',
    words: 'unit {id} is in the log and not in the registry',
    advice: keep,
  },
  'row-unlogged': {
    severity: 'tamper',
    words: 'unit {id} is in the registry and not in the log',
    advice: keep,
  },
  'row-stray': {
    severity: 'tamper',
    words: 'the registry has {count} rows for ids that no device can have',
    advice: keep,
  },
  'request-bad': {
    severity: 'tamper',
    words: 'unit {id}: its certificate request does not hold: {rule}',
    advice: `it was verified before it was stored: ${keep}`,
  },
  'request-foreign': {
    severity: 'tamper',
    words: 'unit {id}: its certificate request is of {what}',
    advice: keep,
  },
  'certificate-bad': {
    severity: 'tamper',
    words: 'unit {id}: its certificate of generation {generation} does not hold: {rule}',
    advice: `it was verified before it was stored: ${keep}`,
  },
  'certificate-differs': {
    severity: 'tamper',
    words:
      'unit {id}: the {what} of its certificate of generation {generation} is not what the {source} says',
    advice: keep,
  },
  'certificate-unlogged': {
    severity: 'tamper',
    words: 'unit {id}: its certificate of generation {generation} is not in the log',
    advice: `nobody has imported it: ${keep}`,
  },
  'certificate-missing': {
    severity: 'tamper',
    words: 'unit {id}: its certificate of generation {generation} is in the log and not in the registry',
    advice: keep,
  },
  'certificate-stray': {
    severity: 'tamper',
    words: 'the certificate with serial {serial} is of no unit',
    advice: keep,
  },
  'certificate-order': {
    severity: 'tamper',
    words:
      'unit {id}: its certificate of generation {generation} came in a batch before that of an older one',
    advice: keep,
  },
  'certificate-unasked': {
    severity: 'violation',
    words: 'unit {id}: nobody asked for its certificate of generation {generation}: {why}',
    advice: 'ask the CA who signed it and for whom; revoke it unless that is explained',
  },
  'chain-bad': {
    severity: 'tamper',
    words: 'the chain that came with batch {sequence} does not hold: {rule}',
    advice: `it was verified before it was stored: ${keep}`,
  },
  'serial-twice': {
    severity: 'violation',
    words: 'the certificates of units {ids} have the same serial number {value}',
    advice: 'ask the CA: one of them cannot be revoked without the other (RFC 5280 4.1.2.2)',
  },
  'id-twice': {
    severity: 'tamper',
    words: 'the registry has unit {ids} more than once',
    advice: keep,
  },
  'chip-twice': {
    severity: 'violation',
    words: 'units {ids} are on the same chip, {value}',
    advice: 'find the board: one of the two identities was written over, and its unit must be void',
  },
  'key-shared': {
    severity: 'violation',
    words: 'units {ids} have the same key, or one that gives the other away',
    advice: `${revoke}; the random numbers of this PC are not to be trusted`,
  },
  'nonce-shared': {
    severity: 'violation',
    words: 'signatures of {ids} were made with the same random number, which gives their keys away',
    advice: `${revoke}; the random numbers of the PC that signed are not to be trusted`,
  },
  'key-weak': {
    severity: 'violation',
    words: 'unit {id}: its private key can be guessed: {why}',
    advice: revoke,
  },
  'unit-in-doubt': {
    severity: 'doubt',
    words: 'unit {id} is in doubt: it has been {state} since {since}',
    advice: 'find its board: if it bears this id, recover the board; if not, void the unit',
  },
  'lease-differs': {
    severity: 'tamper',
    words: 'lease {lease}: {field} is {found} in the registry and {told} by the log',
    advice: keep,
  },
  'lease-overlaps': {
    severity: 'violation',
    words: 'leases {lease} and {other} overlap',
    advice: 'ask the CA which of them it gave to this station',
  },
  'lease-gap': {
    severity: 'tamper',
    words: 'lease {lease}: id {id} was passed over, and nothing says what became of it',
    advice: keep,
  },
  'lease-cursor': {
    severity: 'tamper',
    words: 'lease {lease}: the next id is {next}, and {used} ids are used',
    advice: keep,
  },
  'id-unleased': {
    severity: 'tamper',
    words: 'unit {id} is in no lease of this station',
    advice: `another station may have made a device of this id: ${keep}`,
  },
  'batch-differs': {
    severity: 'tamper',
    words: 'batch {sequence} {direction}: its {what} is not what the {source} says',
    advice: keep,
  },
  'batch-unlogged': {
    severity: 'tamper',
    words: 'batch {sequence} {direction} is not in the log',
    advice: keep,
  },
  'batch-missing': {
    severity: 'tamper',
    words: 'batch {sequence} {direction} is in the log and not in the registry',
    advice: keep,
  },
  'batch-foreign': {
    severity: 'violation',
    words: 'batch {sequence} {direction} is of the CA {authority}, which this station never trusted',
    advice: 'find out who brought it, and what was signed',
  },
  'checkpoint-differs': {
    severity: 'tamper',
    words: 'batch {sequence} {direction} shows another log than this one: {problem}',
    advice: `the CA has seen another history of this station: ${keep}`,
  },
  'authority-differs': {
    severity: 'tamper',
    words: 'the CA in place {place} is {found} in the registry and {told} by the log',
    advice: `certificates of a false CA may be on devices: ${keep}`,
  },
  'station-key-differs': {
    severity: 'tamper',
    words: '{path} is not the key that the log names',
    advice: `somebody may sign in the name of this station: ${keep}`,
  },
  'station-key-unusable': {
    severity: 'doubt',
    words: 'the signatures of this station cannot be checked: {problem}',
    advice: 'restore station.key from its backup and audit again',
  },
  'station-file-differs': {
    severity: 'violation',
    words: 'station.json says {field} {found}, and the log {told}',
    advice: 'find out who changed it, and put it right',
  },
  'log-unwitnessed': {
    severity: 'notice',
    words: 'the CA has seen {seen} of {size} log entries: for the last {unseen} only this station vouches',
    advice: 'export the next batch and import its answer',
  },
  'seal-old': {
    severity: 'notice',
    words: 'the log was last sealed at {at}, {unsealed} entries ago',
    advice: 'seal it with "lineside log checkpoint"',
  },
  'file-unknown': {
    severity: 'violation',
    words: '{path} does not belong in a station',
    advice: 'find out who put it there and what it holds',
  },
  'file-leftover': {
    severity: 'notice',
    words: '{path} was left behind when the power failed',
    advice: 'nothing needs it: remove it',
  },
  'file-set-aside': {
    severity: 'notice',
    words: '{path} is the registry that a backup took the place of',
    advice: 'keep it as evidence, on another medium',
  },
  'file-not-regular': {
    severity: 'violation',
    words: '{path} is a link, a directory or a device, and should be a file',
    advice: 'find out who put it there',
  },
  'file-owner': {
    severity: 'violation',
    words: '{path} belongs to user {uid}, and the station to user {owner}',
    advice: 'find out who made it; all of a station belongs to one user',
  },
  'file-open': {
    severity: 'violation',
    words: '{path} has mode {permissions}: others than its owner may touch it',
    advice: 'take their permissions away, and find out who gave them',
  },
  'file-linked': {
    severity: 'violation',
    words: '{path} has {nlink} names',
    advice: 'find the others: whoever has one reads and writes this file',
  },
  'key-stored': {
    severity: 'violation',
    words: '{path} holds the private key of unit {id}, at byte {at}: {form}',
    advice: `${revoke}; destroy this disk and every backup of it`,
  },
  'key-found': {
    severity: 'violation',
    words: '{path} holds something that looks like a private key, at byte {at}: {form}',
    advice: 'find out whose it is; no key but station.key belongs in a station',
  },
  'scan-cut-short': {
    severity: 'doubt',
    words: '{path} has more bytes that look random than can be tried',
    advice: 'find out what the file is; remove it if nothing needs it, and audit again',
  },
} as const satisfies Record<string, Entry>;

export type FindingCode = keyof typeof findingTable;
