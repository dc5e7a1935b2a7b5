import type { Store } from '../../sqlite/store.ts';
import * as certificates from './0001-certificates.ts';
import * as exchange from './0002-exchange.ts';

export const ledgerStore: Store = {
  kind: 'ledger',
  applicationId: 0x4c534341, // "LSCA"
  migrations: [certificates, exchange],
  errors: {
    missing: 'ledger-missing',
    taken: 'ca-exists',
    busy: 'ledger-busy',
    newer: 'ledger-newer',
    unsafe: 'ledger-unsafe',
    damaged: 'ledger-damaged',
    full: 'ledger-full',
    io: 'ledger-io',
  },
};
