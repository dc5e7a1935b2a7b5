import { on } from 'node:events';
import type { AuthorityKeys } from '../src/authority-keys.ts';
import { type AuthorityReply, parseOpening, parseOrder } from '../src/authority-process.ts';
import { asLinesideError } from '../src/errors.ts';
import { signBatch } from '../src/sign-batch.ts';
import { atWork, unlocking } from './desk.ts';

/*
 * The CA process of `provision --ca`: started by the station for one run, gone with it. Its ledger is held and its
 * keys are open for as long.
 */

process.on('SIGUSR1', () => {}); // Node would open its debugger, to anybody on this PC
process.on('SIGINT', () => {}); // a board in work is finished; the station decides
process.on('disconnect', () => process.exit(0)); // what was not committed was not signed

const say = (reply: AuthorityReply) => process.send?.(reply);
const messages = on(process, 'message') as AsyncIterableIterator<[unknown]>;

try {
  const { value } = (await messages.next()) as { value: [unknown] };
  const { directory, officer, ...secrets } = parseOpening(value[0]);
  await atWork({ directory, officer }, (authority, by) =>
    unlocking(authority, secrets, async (locked) => {
      // Opened once, and before any board: deriving a key from the password takes longer than to provision a board.
      const [device, exchange] = [await locked.authority('device'), await locked.exchange()];
      const keys: AuthorityKeys = {
        authority: async (role) => (role === 'device' ? device : locked.authority(role)),
        exchange: async () => exchange,
      };
      say({ kind: 'ready', verifier: authority.exchange.line });
      for await (const [message] of messages) {
        const { batch, out } = parseOrder(message);
        await signBatch(
          authority,
          batch,
          out,
          { ...by, now: new Date() },
          {
            consent: (_, sign) => sign(keys), // it was given for the run, with the password
            progress: () => {},
          },
        )
          .then(() => say({ kind: 'signed' }))
          .catch(tellFailure);
      }
    }),
  );
} catch (thrown) {
  tellFailure(thrown);
  process.disconnect();
}

function tellFailure(thrown: unknown): void {
  const { code, facts } = asLinesideError(thrown);
  say({ kind: 'failed', code, facts });
}
