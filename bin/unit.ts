import { asLinesideError } from '../src/errors.ts';
import { Unit } from '../src/unit/life.ts';
import { parseRequest, type Reply } from '../src/unit/messages.ts';

/*
 * The unit process: started by the station for one board, spoken to over its IPC channel, gone with it. It prints
 * nothing. The only other file beside bin/lineside.ts that touches `process`.
 */

process.on('SIGUSR1', () => {}); // Node would open its debugger, to anybody on this PC
process.on('SIGINT', () => {}); // a board in work is finished; the station decides
process.on('disconnect', () => void unit.end().then(() => process.exit(0)));
process.on('message', (message) => void answer(message));

const unit = new Unit();

async function answer(message: unknown): Promise<void> {
  process.send?.(await reply(message));
}

async function reply(message: unknown): Promise<Reply> {
  try {
    return await unit.perform(parseRequest(message));
  } catch (error) {
    await unit.abandon();
    const { code, facts } = asLinesideError(error);
    return { kind: 'failed', code, facts: short(facts) };
  }
}

/** A message of a library can be of any length, and the channel refuses what could hold a key. */
function short(facts: Readonly<Record<string, string | number>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, 42) : value,
    ]),
  );
}
