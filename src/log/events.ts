import { unitStates } from '../device.ts';

/**
 * Every event there is, with all that it says beside its time `t`. A new event is a row here; a key that no rule in
 * `leaf.ts` knows is a rule there too.
 */
export const eventKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['station.init', ['chip']],
  ['station.key', ['signer']],
  ['authority.trust', ['signer']],
  ['lease.accept', ['lease']],
  ['lease.close', ['lease']],
  ['unit.reserved', ['id', 'to']],
  ['unit.keyed', ['id', 'from', 'to', 'csr', 'spki']],
  ['unit.flashing', ['id', 'from', 'to', 'uid', 'probe', 'fw']],
  ['unit.flashed', ['id', 'from', 'to']],
  ['unit.verified', ['id', 'from', 'to', 'proof', 'locked']],
  ['unit.exported', ['id', 'from', 'to', 'batch']],
  ['unit.certified', ['id', 'from', 'to', 'batch', 'cert', 'generation']],
  ['unit.installed', ['id', 'from', 'to', 'generation', 'locked']],
  ['unit.reissued', ['id', 'batch', 'cert', 'generation']],
  ['unit.void', ['id', 'from', 'to', 'reason']],
  ['board.recover', ['probe']],
  ['board.recovered', ['probe', 'uid']],
  ['export.batch', ['batch', 'manifest']],
  ['export.written', ['batch']],
  ['import.batch', ['batch', 'manifest']],
  // Before each checkpoint: how many units are in each state, SHA-256 over their rows (`unit-line.ts`), the next id.
  ['seal', [...unitStates, 'digest', 'next']],
  // The log goes on under a new origin; `before`, `size` and `root` are the last checkpoint of the one it leaves.
  ['epoch.open', ['epoch', 'before', 'size', 'root', 'reason']],
  // SHA-256 of the file, and how many leaves it holds.
  ['backup.made', ['backup', 'size']],
  // The clock was set: it now says `t`, and the leaf before this one says `was`.
  ['clock.set', ['was']],
]);
