import type { Store } from '../../sqlite/store.ts';
import * as units from './migrations/0001-units.ts';
import * as batches from './migrations/0002-batches.ts';
import * as tree from './migrations/0003-tree.ts';

export const registryStore: Store = {
  kind: 'registry',
  applicationId: 0x4c535247, // "LSRG"
  migrations: [units, batches, tree],
  errors: {
    missing: 'registry-missing',
    taken: 'station-exists',
    busy: 'registry-busy',
    newer: 'registry-newer',
    unsafe: 'registry-unsafe',
    damaged: 'registry-damaged',
    full: 'registry-full',
    io: 'registry-io',
  },
};
