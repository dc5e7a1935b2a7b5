/*
 * What verifying a log can bring to light: what is wrong, in plain words, and what somebody would have had to do for it
 * to be so. `evidence` is what no honest station writes and no accident brings about without a trace; a `notice` is for
 * a person to know. `{name}` is filled in from the facts.
 */

interface Entry {
  readonly weight: 'evidence' | 'notice';
  readonly what: string;
  readonly means: string;
}

const needsKey =
  "it is signed, so it was written with the station's key, on the station or from a copy of it";

export const findingTable = {
  'checkpoint-form': {
    weight: 'evidence',
    what: 'the checkpoint is not of the one form that a checkpoint has',
    means: 'somebody wrote or cut it by hand',
  },
  'checkpoint-signature': {
    weight: 'evidence',
    what: 'the signature on the checkpoint does not hold',
    means: 'size or root were changed after the station had signed them',
  },
  'checkpoint-signer': {
    weight: 'evidence',
    what: "the checkpoint is not signed with the station's key",
    means: 'somebody without that key signed it anew; if the station got a new key, the CA was told so',
  },
  'head-missing': {
    weight: 'evidence',
    what: 'the last checkpoint that the station signed, log.head, is gone',
    means: 'somebody deleted it, so that an older or another registry could take the place of this one',
  },
  'rolled-back': {
    weight: 'evidence',
    what: 'the log has {size} entries, and {signed} were signed before',
    means: 'its end was cut off, or an older copy of it was put in its place',
  },
  forked: {
    weight: 'evidence',
    what: 'the first {signed} entries are not those that were signed before',
    means: `there are two histories of this station; ${needsKey}`,
  },
  'epoch-behind': {
    weight: 'evidence',
    what: 'the log is of epoch {epoch}, and epoch {signed} was signed before',
    means: 'an older copy of the log was put in the place of this one',
  },
  'entries-lost': {
    weight: 'evidence',
    what: 'entries {from} to {to} that were signed before are gone; entry {from} opens epoch {epoch}: {reason}',
    means: 'a backup was restored; whoever gave that reason has to say what became of those entries',
  },
  'root-differs': {
    weight: 'evidence',
    what: 'the {size} entries do not have the root that was signed',
    means: 'entries, and the hashes kept of them, were changed together, by somebody who could not sign them',
  },
  'epoch-differs': {
    weight: 'evidence',
    what: 'the checkpoint is of epoch {signed}, and the entries are of epoch {epoch}',
    means: `entries of one epoch were signed as another; ${needsKey}`,
  },
  'log-cut': {
    weight: 'evidence',
    what: 'there are {size} entries, and the checkpoint is of {signed}',
    means: 'the end of the log was cut off after it was signed',
  },
  'bundle-form': {
    weight: 'evidence',
    what: '{path} does not hold the entries it should',
    means: 'the file was changed or cut',
  },
  'node-changed': {
    weight: 'evidence',
    what: '{path} is not the hash of the entries below it',
    means: 'hashes were changed and the entries were not: proofs made from them would fail',
  },
  'leaf-changed': {
    weight: 'evidence',
    what: 'entry {n} is not the one that was logged',
    means: 'its bytes were changed after it was written, and its hash was left as it was',
  },
  'leaf-missing': {
    weight: 'evidence',
    what: 'entry {n} is not in its place: entry {found} stands there',
    means: 'entries were taken out, or put into another order',
  },
  'leaf-again': {
    weight: 'evidence',
    what: 'entry {found} stands in the log once more, in place {n}',
    means: 'entries were put in a second time, or into another order',
  },
  'leaf-form': {
    weight: 'evidence',
    what: 'entry {n} is nothing that lineside writes',
    means: 'another program or a hand wrote it',
  },
  'chain-broken': {
    weight: 'evidence',
    what: 'entry {n} does not name the entry before it',
    means: 'the entry before it was put in the place of another',
  },
  'first-entry': {
    weight: 'evidence',
    what: 'entry {n} makes a station that is made already, or the log begins without one',
    means: 'the beginning of the log was taken off, or another log was put behind this one',
  },
  'station-differs': {
    weight: 'evidence',
    what: 'entry {n} is of station {found}',
    means: 'entries of another station were mixed in',
  },
  'authority-follows': {
    weight: 'notice',
    what: 'entry {n}: from here on the station trusts another CA than before',
    means: 'the CA was changed, or somebody at the station said so',
  },
  'unit-unknown': {
    weight: 'evidence',
    what: 'entry {n} ({ev}) is about device {id}, which this station never reserved',
    means: 'an entry was written for a device of another station, or that of its reservation taken out',
  },
  'id-twice': {
    weight: 'evidence',
    what: 'entry {n} reserves device id {id} a second time',
    means: 'an id was given to two devices: the registry was rolled back, or changed by hand',
  },
  'id-outside-lease': {
    weight: 'evidence',
    what: 'entry {n} reserves device id {id}, which is in no lease of the station',
    means: 'the registry was changed by hand: the station itself refuses this',
  },
  'step-illegal': {
    weight: 'evidence',
    what: 'entry {n}: device {id} is {state} and cannot become {to}',
    means: 'a step was left out, repeated or made up',
  },
  'key-twice': {
    weight: 'evidence',
    what: 'entry {n}: device {id} has the public key of another device',
    means: 'a key was used twice: the random generator is broken, or a request was copied',
  },
  'chip-twice': {
    weight: 'evidence',
    what: 'entry {n}: the chip of device {id} carries another device already',
    means: 'an identity was written over another, or the entry was made up',
  },
  'generation-order': {
    weight: 'evidence',
    what: 'entry {n}: device {id} goes to certificate {found}, which is not one it has or goes back',
    means: 'an entry was made up or repeated',
  },
  'batch-order': {
    weight: 'evidence',
    what: 'entry {n} ({ev}) names batch {batch}, which is not the one in work',
    means: 'a batch was left out, repeated or made up',
  },
  'lease-overlaps': {
    weight: 'evidence',
    what: 'entry {n} accepts lease {lease}, which overlaps one the station has',
    means: 'the registry was changed by hand: the station itself refuses this',
  },
  'lease-unknown': {
    weight: 'evidence',
    what: 'entry {n} closes lease {lease}, which is not open',
    means: 'an entry was made up or repeated',
  },
  'epoch-order': {
    weight: 'evidence',
    what: 'entry {n} opens epoch {epoch} after epoch {before}',
    means: 'an entry was made up or repeated',
  },
  'seal-differs': {
    weight: 'evidence',
    what: 'the seal in entry {n} says that {field} is {said}, and by the entries it is {told}',
    means: 'the registry was changed without the log, or entries were left out before they were signed',
  },
  'clock-back': {
    weight: 'evidence',
    what: 'entry {n} says {t}, before the entry before it, and none says that the clock was set',
    means: 'its time was made up, or it was written at another time than it stands for',
  },
  'clock-apart': {
    weight: 'evidence',
    what: 'entry {n} says {t}, which the time since the PC was started does not bear out',
    means: 'its time was made up, or it was written at another time than it stands for',
  },
  'clock-false': {
    weight: 'evidence',
    what: 'entry {n} says that the clock was at {was}, and the entry before it says otherwise',
    means: 'an entry was taken out or made up',
  },
  'boot-back': {
    weight: 'evidence',
    what: 'entry {n} was written earlier after the start of the PC than the entry before it',
    means: 'entries were put into another order, or made up: nobody can set that clock',
  },
  'boot-again': {
    weight: 'evidence',
    what: 'entry {n} is of a start of the PC that had ended before',
    means: 'entries were put into another order, or made up',
  },
  'row-differs': {
    weight: 'evidence',
    what: 'the registry has {field} of device {id} as {found}, and the log tells {told}',
    means: 'the registry was changed without the log',
  },
  'row-missing': {
    weight: 'evidence',
    what: 'the log tells of device {id}, and the registry does not have it',
    means: 'the device was deleted from the registry',
  },
  'row-unlogged': {
    weight: 'evidence',
    what: 'the registry has device {id}, of which the log tells nothing',
    means: 'the device was put into the registry without the log',
  },
  'clock-set': {
    weight: 'notice',
    what: 'entry {n}: the clock was set from {was} to {t}',
    means: 'the order of the entries is not touched by this; their times are as good as the clock',
  },
  'epoch-opened': {
    weight: 'notice',
    what: 'entry {n} opens epoch {epoch}; {lost} signed entries of epoch {before} are not in this log: {reason}',
    means: 'a backup was restored',
  },
} as const satisfies Record<string, Entry>;

export type FindingCode = keyof typeof findingTable;
type Facts = Readonly<Record<string, string | number>>;

export interface Finding {
  readonly code: FindingCode;
  readonly weight: Entry['weight'];
  readonly facts: Facts;
  readonly what: string;
  readonly means: string;
}

export function finding(code: FindingCode, facts: Facts = {}): Finding {
  const { weight, what, means } = findingTable[code];
  const filled = what.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? '?'));
  return { code, weight, facts, what: filled, means };
}
