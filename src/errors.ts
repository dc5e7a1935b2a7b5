import { getSystemErrorMap } from 'node:util';

/**
 * Every error an operator can meet: its exit code, what failed, and what to do. `{name}` is filled in from the
 * facts of the case. docs/errors.md repeats this table and a test holds the two together.
 */
export const errorTable = {
  usage: { exit: 2, what: '{problem}', action: 'run the command with --help to see what it takes' },
  'bad-id': {
    exit: 2,
    what: '"{id}" is not a device id',
    action: 'write 8 upper-case hex digits, from 00000001 to FFFFFFFE',
  },
  'bad-lease': {
    exit: 2,
    what: '"{lease}" is not a lease',
    action: 'write FIRST-LAST, for example 00000001-0000FFFF, first not above last',
  },
  'bad-probe': {
    exit: 2,
    what: '"{probe}" is not a probe',
    action:
      'write NAME=INTERFACE:SERIAL, interface one of {interfaces}, for example a=cmsis-dap:E6614103 or a=sim:4444',
  },
  'unknown-chip': {
    exit: 2,
    what: 'no chip is called "{chip}"',
    action: 'use one of {known}',
  },
  'firmware-unreadable': {
    exit: 2,
    what: 'firmware {path} cannot be read: {reason}',
    action: 'give the path of an Intel HEX (.hex), ELF (.elf) or raw binary (.bin) file',
  },
  'firmware-invalid': {
    exit: 2,
    what: 'firmware {path} is not valid: {reason}',
    action: 'build or copy the file again; no board was touched',
  },
  'firmware-outside-flash': {
    exit: 2,
    what: 'firmware {path} has bytes at {address}, outside the flash of {chip}',
    action: 'check that the firmware was linked for this chip; no board was touched',
  },
  'firmware-overlaps-factory-data': {
    exit: 2,
    what: 'firmware {path} has bytes at {address}, where the factory pages of {chip} lie',
    action: 'link the firmware so that it ends below {limit}; no board was touched',
  },

  'station-missing': {
    exit: 3,
    what: 'there is no station in {path}',
    action: 'make one with "lineside init DIR --name NAME --chip CHIP", or point --station at it',
  },
  'station-exists': {
    exit: 2,
    what: '{path} is already there',
    action: 'name a new or an empty directory: a station is never put over anything',
  },
  'station-invalid': {
    exit: 3,
    what: 'station file {path} cannot be used: {reason}',
    action: 'correct what is named, or restore the file from its backup',
  },
  'ca-exists': {
    exit: 2,
    what: '{path} is already there',
    action: 'name a new or an empty directory: a CA is never put over anything',
  },
  'request-unreadable': {
    exit: 2,
    what: 'no certificate request could be read from {path}: {reason}',
    action: 'give a file that holds one PKCS#10 request; nothing was signed',
  },
  'file-exists': {
    exit: 2,
    what: '{path} is already there',
    action: 'name another file: a key, certificate, CRL, backup or report is never put over anything',
  },
  'password-length': {
    exit: 2,
    what: 'the new password has fewer than {least} or more than {greatest} bytes',
    action: 'choose a longer one, for example six words by dice; nothing was made',
  },
  'password-unreadable': {
    exit: 2,
    what: 'no {what} could be read from {path}: {reason}',
    action: 'give a file whose first line is it, or "-" to read it from stdin',
  },
  'no-terminal': {
    exit: 2,
    what: 'there is no terminal to ask for the {what}',
    action: 'run the command in a terminal, or give the file that holds it',
  },
  'wrong-password': {
    exit: 8,
    what: 'the password does not open {path}',
    action: 'try again; if it was made with two passwords, both are needed, in the same order',
  },
  'wrong-pin': {
    exit: 8,
    what: 'the PIN does not open token "{token}"',
    action: 'try again, but not often: a token locks itself after a few wrong ones',
  },
  'token-module': {
    exit: 3,
    what: 'the PKCS#11 module {module} cannot be used: {reason}',
    action: 'name the library of the token, for example /usr/lib/softhsm/libsofthsm2.so',
  },
  'token-missing': {
    exit: 3,
    what: '{count} tokens of {module} are called "{token}", not one',
    action: 'plug the token in, or name another; "pkcs11-tool --list-slots" shows what there is',
  },
  'token-failed': {
    exit: 6,
    what: 'the token failed: {reason}',
    action: 'unplug it and plug it in again, then start again; nothing was handed out',
  },
  'token-key-missing': {
    exit: 3,
    what: 'the token has {count} keys called "{label}" of this CA, not one',
    action: 'plug in the token this CA was made with, or restore it from its backup',
  },
  'token-key-unsafe': {
    exit: 3,
    what: '{attribute} of the key in the token is {found}, not {expected}',
    action: 'do not use this key for a CA: it could leave the token, or do more than sign',
  },
  'key-unreadable': {
    exit: 6,
    what: 'the key file {path} cannot be read: {reason}',
    action: 'bring back the file from its backup, or the medium it is kept on; nothing was signed',
  },
  'key-invalid': {
    exit: 3,
    what: 'the key file {path} is not usable: {reason}',
    action: 'bring back the file from its backup; nothing was signed',
  },
  'station-key-unusable': {
    exit: 3,
    what: "the station's key {path} cannot be used: {reason}",
    action: 'restore it from its backup with mode 0600; a new key must be made known to the CA by hand',
  },
  'batch-unreadable': {
    exit: 2,
    what: 'the batch {path} cannot be read: {reason}',
    action: 'give the path of the batch directory; if it is right, try another reader or another stick',
  },
  'batch-refused': {
    exit: 8,
    what: 'the batch is refused: {rule}',
    action: 'check that it is the right stick and the right directory; nothing was taken from it',
  },
  'batch-tampered': {
    exit: 7,
    what: 'the batch was changed on its way: {rule}',
    action:
      'nothing was taken from it; have it written again, and if that one is refused too, keep both sticks and call the security team',
  },
  'directory-taken': {
    exit: 2,
    what: '{path} is already there and holds something else',
    action: 'name a new directory: a batch or a log is never put over anything',
  },
  'directory-unwritable': {
    exit: 6,
    what: '{path} cannot be written: {reason}',
    action: 'give this user permission and space there, or name another place; nothing was changed',
  },
  'openocd-missing': {
    exit: 3,
    what: 'OpenOCD cannot be started: {reason}',
    action: 'run scripts/setup, which installs openocd 0.12',
  },
  'core-dumps-enabled': {
    exit: 3,
    what: 'the unit process may dump core, and a core file would hold the key',
    action: 'stop the line and call the security team: "ulimit -c 0" had no effect on this PC',
  },

  'unknown-probe': {
    exit: 4,
    what: 'no probe of this station is called "{probe}"',
    action: 'use one of {known}, or add it to station.json',
  },
  'no-probes': {
    exit: 4,
    what: 'this station has no probe',
    action: 'add one to "probes" in station.json, for example "a=cmsis-dap:E6614103"',
  },
  'probe-unreachable': {
    exit: 4,
    what: 'probe {probe} cannot be reached',
    action: 'check its USB cable and serial number; the board is untouched and can be tried again',
  },
  'target-absent': {
    exit: 4,
    what: 'no chip answers on probe {probe}',
    action: 'seat the board, check its supply and the SWD cable, then try again',
  },
  'target-locked': {
    exit: 4,
    what: 'the board on probe {probe} has its debug port locked',
    action:
      'set it aside; if it is to be made new, "lineside recover --probe {probe} --yes" erases all of it',
  },
  'board-changed': {
    exit: 4,
    what: 'the board on probe {probe} is not the one that was examined',
    action: 'leave a board in its fixture until PASS or FAIL; run both boards again',
  },
  'board-not-changed': {
    exit: 4,
    what: 'the board on probe {probe} was not changed in time',
    action: 'place the next board and start again',
  },
  'wrong-debug-port': {
    exit: 4,
    what: 'the debug port answers DPIDR {found}, {chip} has {expected}',
    action: 'this is another chip: set the board aside, and check the product on the station',
  },
  'wrong-control-port': {
    exit: 4,
    what: 'the control port answers {found}, {chip} has {expected}',
    action: 'this is another chip: set the board aside, and check the product on the station',
  },
  'wrong-core': {
    exit: 4,
    what: 'the core answers CPUID {found}, {chip} has {expected}',
    action: 'this is another chip: set the board aside, and check the product on the station',
  },
  'wrong-chip': {
    exit: 4,
    what: 'the part number reads {found}, {chip} has {expected}',
    action: 'this is another chip: set the board aside, and check the product on the station',
  },
  'wrong-flash-size': {
    exit: 4,
    what: 'the flash size register reads {found}, {chip} has {expected}',
    action: 'this is another chip: set the board aside, and check the product on the station',
  },

  'halt-failed': {
    exit: 5,
    what: 'the core did not halt',
    action: 'power the board off and on, then try again; if it happens twice, set it aside',
  },
  'erase-failed': {
    exit: 5,
    what: 'flash could not be erased at {address}',
    action: 'try the board once more; if it happens twice, reject it',
  },
  'program-failed': {
    exit: 5,
    what: 'the firmware could not be programmed',
    action: 'try the board once more; if it happens twice, reject it',
  },
  'program-differs': {
    exit: 5,
    what: 'the firmware read back is not what was written',
    action: 'reject the board: its flash is bad',
  },
  'write-failed': {
    exit: 5,
    what: 'writing the identity page stopped at {address}',
    action: 'check cable and supply, then run the board again: it gets a new id',
  },
  'flash-not-ready': {
    exit: 5,
    what: 'the flash controller stayed busy at {address}',
    action: 'reject the board: its flash controller does not answer',
  },
  'identity-differs': {
    exit: 5,
    what: 'the identity page read back is not what was written',
    action: 'reject the board: its flash is bad',
  },
  'credentials-write-failed': {
    exit: 5,
    what: 'writing the credentials page stopped at {address}',
    action: 'check cable and supply, then run install again: the identity of the board is untouched',
  },
  'credentials-differ': {
    exit: 5,
    what: 'the credentials page read back is not what was written',
    action: 'run install once more; if it happens twice, reject the board: its flash is bad',
  },
  'read-failed': {
    exit: 5,
    what: 'the board could not be read at {address}',
    action: 'check cable and supply, then try again',
  },
  'lock-failed': {
    exit: 5,
    what: 'the debug port is still open after locking',
    action: 'reject the board: it cannot be protected against reading',
  },
  'lock-unproven': {
    exit: 5,
    what: 'whether the debug port is locked could not be read',
    action: 'reject the board: it may be locked, and its unit is void',
  },
  'recover-failed': {
    exit: 5,
    what: 'the board is still locked, or not blank, after erasing everything',
    action: 'reject the board',
  },
  'reset-failed': {
    exit: 5,
    what: 'the board could not be reset after programming',
    action: 'power the board off and on, then run it again: it gets a new id',
  },
  'openocd-timeout': {
    exit: 5,
    what: 'OpenOCD gave no answer within {seconds} s while {doing}',
    action: 'unplug and replug the probe, then try again; if it happens twice, change the probe',
  },
  'openocd-died': {
    exit: 5,
    what: 'OpenOCD ended while {doing}',
    action: 'unplug and replug the probe, then try again; if it happens twice, change the probe',
  },

  'registry-missing': {
    exit: 6,
    what: 'the registry {path} is missing',
    action:
      'put a backup in its place with "lineside registry restore": a station never starts again with an empty one',
  },
  'registry-busy': {
    exit: 6,
    what: 'another process is using the registry {path}',
    action: 'wait for it to end, or stop it: a registry has one user at a time',
  },
  'registry-newer': {
    exit: 6,
    what: 'the registry {path} was written by a newer version of lineside (migration {migration})',
    action: 'install that version on this station; nothing was changed',
  },
  'registry-unsafe': {
    exit: 6,
    what: 'the registry cannot be made durable: {setting} is {found}, not {expected}',
    action: 'stop the line: put the registry on a local disk with a supported SQLite',
  },
  'registry-damaged': {
    exit: 6,
    what: 'the registry {path} is not a sound database: {reason}',
    action: 'stop the line and put a backup in its place with "lineside registry restore"',
  },
  'registry-full': {
    exit: 6,
    what: 'the disk of the registry is full',
    action: 'stop the line, free space, then start again: no unit was passed after this',
  },
  'registry-io': {
    exit: 6,
    what: 'the registry could not be read or written: {reason}',
    action: 'stop the line and check the disk: no unit was passed after this',
  },
  'log-unreadable': {
    exit: 6,
    what: '{path} cannot be read: {reason}',
    action: 'nothing is proven; get the log once more, or give the right paths',
  },
  'log-of-another': {
    exit: 6,
    what: 'this is the log of {found}, and the key is that of station {station}',
    action: 'nothing is proven; give the verifier key of that station, or the log of this one',
  },
  'log-tampered': {
    exit: 7,
    what: 'the log was tampered with; findings: {count}, the first: {first}',
    action: 'stop the line, keep this PC and the media as they are, and call the security team',
  },
  'log-head-missing': {
    exit: 7,
    what: 'the last checkpoint this station signed, {path}, is gone',
    action:
      'stop the line and keep this PC as it is; to go on, "lineside registry restore" with a checkpoint that the CA or QA has',
  },
  'log-head-foreign': {
    exit: 7,
    what: 'the last checkpoint {path} does not belong to this station: {reason}',
    action:
      'stop the line and keep this PC as it is; to go on, "lineside registry restore" with a checkpoint that the CA or QA has',
  },
  'log-rolled-back': {
    exit: 7,
    what: 'the registry was rolled back: {found}, and {signed}',
    action:
      'stop the line: put no registry.db back by hand, "lineside registry restore" does it and opens a new epoch',
  },
  'log-rewritten': {
    exit: 7,
    what: 'the first {size} entries of the log are not those that were signed',
    action: 'stop the line and keep this PC as it is; "lineside log verify" says where the log was changed',
  },
  'unit-not-logged': {
    exit: 2,
    what: 'the log has no certificate request of unit {id} yet',
    action: 'look at it with "lineside registry show {id}"',
  },
  'backup-failed': {
    exit: 6,
    what: 'the backup {path} could not be made: {reason}',
    action: 'name another place, or check the medium; the registry itself is as it was',
  },
  'backup-damaged': {
    exit: 6,
    what: 'the backup {path} is not a sound registry: {reason}',
    action: 'take an older backup, or another copy of this one; nothing was changed',
  },
  'backup-foreign': {
    exit: 8,
    what: 'the backup {path} is of station {found}, not of {station}',
    action: 'take a backup of this station; nothing was changed',
  },
  'registry-sound': {
    exit: 8,
    what: 'the registry of this station is sound: a backup in its place would forget what came after it',
    action: 'if that is meant, say --over-sound; the registry of now is kept beside the new one',
  },
  'ca-missing': {
    exit: 3,
    what: 'there is no CA in {path}',
    action: 'make one with "lineside ca init DIR", or point --ca at it',
  },
  'ca-invalid': {
    exit: 3,
    what: 'the CA in {path} is not valid: {reason}',
    action: 'restore the CA directory from its backup; nothing was signed',
  },
  'clock-behind': {
    exit: 3,
    what: 'the clock of this PC says {now}, and this CA was at work at {last}',
    action: 'set the clock: a certificate with a wrong date cannot be taken back; nothing was signed',
  },
  'ledger-missing': {
    exit: 6,
    what: 'the ledger of the CA, {path}, is missing',
    action: 'restore the CA directory from its backup: a CA without its ledger would issue twice',
  },
  'ledger-busy': {
    exit: 6,
    what: 'another process is using the ledger {path}',
    action: 'wait for it to end: a CA does one thing at a time',
  },
  'ledger-newer': {
    exit: 6,
    what: 'the ledger {path} was written by a newer version of lineside (migration {migration})',
    action: 'install that version on this PC; nothing was changed',
  },
  'ledger-unsafe': {
    exit: 6,
    what: 'the ledger cannot be made durable: {setting} is {found}, not {expected}',
    action: 'put the CA directory on a local disk with a supported SQLite; nothing was signed',
  },
  'ledger-damaged': {
    exit: 6,
    what: 'the ledger {path} is not a sound database: {reason}',
    action: 'stop, and restore the CA directory from its backup as docs/ca-ceremony.md says',
  },
  'ledger-full': {
    exit: 6,
    what: 'the disk of the ledger is full',
    action: 'free space, then start again: what was not committed was not handed out',
  },
  'ledger-io': {
    exit: 6,
    what: 'the ledger could not be read or written: {reason}',
    action: 'check the disk, then start again: what was not committed was not handed out',
  },
  'output-lost': {
    exit: 6,
    what: 'the results could not be written: {reason}',
    action:
      'look at what was done with "lineside registry list": boards in work were finished, no more begun',
  },
  'demo-stopped': {
    exit: 1,
    what: 'the demo stopped: {step} ended with exit code {code}',
    action: 'see what it printed above',
  },
  'own-request-refused': {
    exit: 6,
    what: 'the certificate request just made for unit {id} is refused: {rule}',
    action: 'stop the line and call the security team: key generation on this PC is broken',
  },
  'unit-not-found': {
    exit: 2,
    what: 'the registry has no unit {id}',
    action: 'check the id with "lineside registry list"',
  },
  'verifier-key-invalid': {
    exit: 2,
    what: '{path} is not a verifier key: {reason}',
    action: 'give the file that the CA, or the station, wrote: one line, name+hash+key',
  },
  'fingerprint-differs': {
    exit: 8,
    what: 'the key in {path} has the fingerprint {found}, not {expected}',
    action: 'do not trust this key: ask the CA for its fingerprint again, by another way than the stick',
  },
  'authority-missing': {
    exit: 3,
    what: 'this station knows no CA yet',
    action: 'get the verifier key file of the CA, and run "lineside trust FILE"',
  },
  'nothing-to-export': {
    exit: 2,
    what: 'there is nothing to export: no unit is verified and in no batch yet',
    action: 'to write a batch again, name its number: "lineside export DIR --batch NUMBER"',
  },
  'certificate-refused': {
    exit: 8,
    what: 'a certificate of the batch is refused: {rule}',
    action: 'nothing was taken; send the CA this message: it has to make the batch anew',
  },
  'batch-unknown': {
    exit: 2,
    what: 'the registry has no batch {sequence} to be written',
    action: 'check the number: batches are counted from 1',
  },
  'authority-differs': {
    exit: 8,
    what: 'this station already trusts another CA: {known}',
    action: 'if the CA has a successor that took over its stations, trust that with --successor',
  },
  'certificate-differs': {
    exit: 7,
    what: 'unit {id} already has another certificate of generation {generation}',
    action: 'nothing was taken; keep the stick and ask the CA why it signed twice for one key',
  },
  'serial-in-use': {
    exit: 7,
    what: 'the certificate of unit {id} has the serial number of another certificate',
    action: 'nothing was taken; keep the stick and ask the CA, which must never give a number twice',
  },
  'illegal-transition': {
    exit: 8,
    what: 'unit {id} is {from} and cannot become {to}',
    action: 'look at it with "lineside registry show {id}"',
  },
  internal: {
    exit: 6,
    what: 'lineside itself failed: {reason}',
    action: 'stop the line and report this with the command you ran',
  },

  'id-outside-lease': {
    exit: 8,
    what: 'id {id} is in no lease of this station',
    action: 'use an id of the lease, or ask for a lease that has it',
  },
  'id-in-use': {
    exit: 8,
    what: 'id {id} was already used and is never used again',
    action: 'take another id',
  },
  'lease-overlaps': {
    exit: 8,
    what: 'lease {lease} overlaps lease {other} of this station',
    action: 'ask for a range that no station has',
  },
  'key-in-use': {
    exit: 6,
    what: 'the new key of unit {id} is already in the registry: the random generator of this PC is broken',
    action: 'stop the line and call the security team',
  },
  'board-in-use': {
    exit: 8,
    what: 'the chip with uid {uid} is already device {id}',
    action: 'set the board aside, or void {id} first if its identity is to be replaced',
  },
  'board-has-identity': {
    exit: 8,
    what: 'the board on probe {probe} already is device {id}',
    action: 'set it aside; "lineside inspect --probe {probe}" shows it, and it is never overwritten',
  },
  'board-has-data': {
    exit: 8,
    what: 'the identity page of the board on probe {probe} holds something lineside cannot read',
    action:
      'set it aside; if it is to be made new, "lineside recover --probe {probe} --yes" erases all of it',
  },
  'board-blank': {
    exit: 4,
    what: 'the board on probe {probe} has no identity',
    action: 'provision it first',
  },
  'id-has-other-key': {
    exit: 8,
    what: 'device {id} was certified with another key',
    action: 'sign nothing of this batch: an id never has two keys; call the security team',
  },
  'key-has-other-id': {
    exit: 8,
    what: 'the key {key} was certified as another device',
    action: 'sign nothing of this batch: a key never has two ids; call the security team',
  },
  'key-has-other-role': {
    exit: 8,
    what: 'the key {key} is that of a broker and of a device',
    action: 'sign nothing of it: no key has both roles; call the security team',
  },
  'request-changed': {
    exit: 8,
    what: 'device {id} handed in another request before',
    action:
      'use the first one: a request never changes, and the key that could sign a new one should be gone',
  },
  'device-revoked': {
    exit: 8,
    what: 'the certificate of device {id} is revoked',
    action: 'make the device new, with a new id and key',
  },
  'already-revoked': {
    exit: 8,
    what: 'certificate {serial} is revoked already',
    action: 'nothing is left to do; "lineside ca crl" lists it',
  },
  'certificate-not-found': {
    exit: 2,
    what: 'this CA has issued no certificate for {subject}',
    action: 'check the device id, or the 32 digits of the serial number',
  },
  'install-locked': {
    exit: 4,
    what: 'the board on probe {probe} has its debug port locked, so nothing can be written through it',
    action: 'set it aside: its firmware takes the certificate over UART, which this version cannot do yet',
  },
  'uart-unreachable': {
    exit: 4,
    what: 'the serial line {path} cannot be used: {reason}',
    action: 'check its cable, that this user may use it, and that no other program does; then try again',
  },
  'uart-silent': {
    exit: 4,
    what: 'the device on {path} was asked to {doing} and did not answer',
    action: 'seat the board, check its supply and the serial cable, and that its firmware has the self-test',
  },
  'self-test-refused': {
    exit: 5,
    what: 'the device on {path} was asked to {doing} and refused: {reason}',
    action: 'set the board aside; if it happens to others too, check the firmware and the batch of the CA',
  },
  'self-test-nonsense': {
    exit: 5,
    what: 'the device on {path} was asked to {doing} and its answer makes no sense',
    action: 'check that the board has the right firmware, then try again; if it happens twice, reject it',
  },
  'key-unproven': {
    exit: 5,
    what: 'the device on {path} did not prove that it has the key of {id}',
    action: 'reject the board: what it signs with is not the key that was made for it',
  },
  'board-not-of-record': {
    exit: 7,
    what: 'the board on probe {probe} says it is device {id}, but its {what} is not the one on record',
    action: 'set it aside and call the security team: it may be a copy, or of another station',
  },
  'not-certified': {
    exit: 8,
    what: 'unit {id} is {state} and has no certificate',
    action: 'import the batch of the CA with its certificate first',
  },
  'credentials-refused': {
    exit: 8,
    what: 'the credentials do not make a page ({reason}); nothing was written',
    action: 'shorten the chain or the lists of anchors and broker names: all of it must fit into 4,096 bytes',
  },
  'csr-refused': {
    exit: 8,
    what: 'the certificate request is refused: {rule}',
    action: 'do not use this request; the unit it belongs to must be made anew',
  },
  'request-refused': {
    exit: 8,
    what: 'request {place} of the batch, of device {id}, is refused: {rule}',
    action: 'nothing was signed; send the station this message: its unit has to be given up',
  },

  'station-unknown': {
    exit: 8,
    what: 'the CA knows no station {station}',
    action: 'let it be trusted first: "lineside ca trust station.vkey"',
  },
  'station-differs': {
    exit: 8,
    what: 'a station {station} with another key, or this key under another name, is trusted already',
    action: 'find out which of them is the real one; a station whose key is lost goes on under a new name',
  },
  'succession-differs': {
    exit: 8,
    what: 'this CA cannot take over that one: it follows another, or has issued and trusted on its own',
    action: 'make a new CA with "lineside ca init" and let that take over, before it does anything else',
  },
  'registry-export-invalid': {
    exit: 2,
    what: '{path}, line {line}, is no unit of a registry export',
    action: 'write it anew with "lineside registry export"; nothing was signed',
  },
  'lease-taken': {
    exit: 8,
    what: 'ids of {lease} are leased already: {station} has {other}',
    action: 'lease a range that nobody has',
  },
  'id-not-leased': {
    exit: 8,
    what: 'device {id} is in no lease of station {station}',
    action:
      'nothing was signed; if the station may have this id, lease it first: "lineside ca lease {station} FIRST-LAST"',
  },
  'lease-invalid': {
    exit: 8,
    what: '{path} is no lease for this station: {reason}',
    action: 'get the lease from the CA again; nothing was changed',
  },

  'not-an-export': {
    exit: 2,
    what: '{path} is not an earlier export for a broker: {reason}',
    action: 'name a new directory, or move away what is there: an export takes the place of an export only',
  },
  'crl-unreadable': {
    exit: 2,
    what: 'the CRL {path} cannot be read: {reason}',
    action: 'give the file that "lineside ca crl --out FILE" wrote; nothing was exported',
  },
  'same-ca-twice': {
    exit: 2,
    what: '{path} and {other} are the same CA',
    action: 'name each CA once, each with its own --crl',
  },
  'crl-invalid': {
    exit: 8,
    what: '{path} is not a CRL of the kind the CA signs: {reason}',
    action: 'have the CA sign the next one with "lineside ca crl"; a broker keeps the export it has',
  },
  'crl-foreign': {
    exit: 8,
    what: 'the CRL {path} is not of the device CA in {ca}',
    action: 'give each --ca its own --crl, in the same order, made with --of device; nothing was exported',
  },
  'crl-tampered': {
    exit: 7,
    what: '{path} holds CRL {number}, but changed after it was signed',
    action: 'keep the file and call the security team; have the CA sign the next one with "lineside ca crl"',
  },
  'crl-not-yet': {
    exit: 8,
    what: 'the CRL {path} is in force from {from} only',
    action: 'check the clock of this PC, and of the one it was signed on; nothing was exported',
  },
  'crl-overdue': {
    exit: 8,
    what: 'the CRL {path} was to be replaced by {due}',
    action: 'have the CA sign the next one with "lineside ca crl": with this one a broker refuses everybody',
  },
  'crl-rolled-back': {
    exit: 8,
    what: '{path} holds CRL {number}, and CRL {last} is in force already',
    action: 'give the latest one: with this one devices that were revoked since would be let in again',
  },
  'crl-differs': {
    exit: 7,
    what: '{path} holds another CRL {number} than the one that is known',
    action:
      'nothing was exported; find out why the CA signed two lists under one number: restored from a backup?',
  },
  'crl-behind': {
    exit: 8,
    what: '{path} holds CRL {number}, which lacks {count} certificates that were revoked since',
    action: 'have the CA sign the next one with "lineside ca crl", and export that',
  },
  'device-in-two-cas': {
    exit: 8,
    what: 'device {id} has another key at each of the two CAs',
    action: 'nothing was exported: these are two devices, and a broker could not tell them apart',
  },
  'key-compromised': {
    exit: 8,
    what: 'device {id} has a valid certificate, and another one of its key was revoked for keyCompromise',
    action: 'revoke the device at every CA that certified it, sign the next CRLs, and export again',
  },
  'backend-not-live': {
    exit: 8,
    what: 'the back end {id} has no certificate that is valid now',
    action: 'certify it first, as docs/broker.md says under "The back end"; nothing was exported',
  },
  'backend-is-device': {
    exit: 8,
    what: '{id} is a device of station {station}, not a back end',
    action: 'check the id: a back end may use the topics of all devices; nothing was exported',
  },

  'lease-exhausted': {
    exit: 9,
    what: 'this station has no id left in its leases',
    action: 'ask the CA for a lease and take it with "lineside lease FILE"; no board was touched',
  },
  'unit-lost': {
    exit: 10,
    what: 'the process that worked on unit {id} ended without a word',
    action: 'mark the board IN DOUBT and set it aside: it may hold the key of {id}',
  },
  'authority-lost': {
    exit: 6,
    what: 'the process of the CA ended without a word',
    action: 'start again: boards that are finished but for their certificate get it with "lineside install"',
  },
  'unit-died': {
    exit: 1,
    what: 'the process that worked on this board ended before any key was sent',
    action: 'run the board again; if it happens twice, stop the line and call for help',
  },
  interrupted: {
    exit: 130,
    what: 'interrupted: the boards in work were finished, no more begun',
    action: 'start again to go on',
  },
} as const satisfies Record<string, ErrorEntry>;

interface ErrorEntry {
  readonly exit: ExitCode;
  readonly what: string;
  readonly action: string;
}

export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 130;
export type ErrorCode = keyof typeof errorTable;

/** What fills the `{name}`s of a message. Never a secret: values come from parsed, public data only. */
export type Facts = Readonly<Record<string, string | number>>;

/** The one error lineside throws on purpose; anything else that reaches bin/ is a bug and shown as `internal`. */
export class LinesideError extends Error {
  readonly code: ErrorCode;
  readonly facts: Facts;

  constructor(code: ErrorCode, facts: Facts = {}, options?: ErrorOptions) {
    super(fill(errorTable[code].what, facts), options);
    this.name = 'LinesideError';
    this.code = code;
    this.facts = facts;
  }

  get exit(): ExitCode {
    return errorTable[this.code].exit;
  }

  /** What to do with the board, or on the PC. */
  get action(): string {
    return fill(errorTable[this.code].action, this.facts);
  }
}

export function asLinesideError(error: unknown): LinesideError {
  if (error instanceof LinesideError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LinesideError('internal', { reason }, { cause: error });
}

/** The system's name of an error, for example ENOSPC; of any other error its message. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** What the system says of an error, for example "no space left on device"; of any other error its message. */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  const [, words] = getSystemErrorMap().get(errno) ?? [];
  return words ?? error.message;
}

function fill(template: string, facts: Facts): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? '?'));
}
