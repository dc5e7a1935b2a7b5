import type { Command } from 'commander';
import { deskOf } from '../desk.ts';
import type { Session } from '../session.ts';
import { addCaBroker } from './ca-broker.ts';
import { addCaCrl } from './ca-crl.ts';
import { addCaInit } from './ca-init.ts';
import { addCaIssue } from './ca-issue.ts';
import { addCaLease } from './ca-lease.ts';
import { addCaReissue } from './ca-reissue.ts';
import { addCaRevoke } from './ca-revoke.ts';
import { addCaShow } from './ca-show.ts';
import { addCaSign } from './ca-sign.ts';
import { addCaTrust } from './ca-trust.ts';

export function addCa(program: Command, session: Session): void {
  const ca = program
    .command('ca')
    .description('the offline CA: it signs requests of devices and brokers')
    .option('--ca <dir>', 'the CA directory to work on', '.')
    .option('--officer <name>', 'who is at work, for the ledger; the name of this user if not given');
  for (const add of [
    addCaInit,
    addCaShow,
    addCaTrust,
    addCaLease,
    addCaSign,
    addCaReissue,
    addCaIssue,
    addCaBroker,
    addCaRevoke,
    addCaCrl,
  ])
    add(ca, () => deskOf(session, ca));
}
