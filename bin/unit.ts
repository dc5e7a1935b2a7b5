import { LinesideError } from '../src/errors.ts';
import { Unit } from '../src/unit/life.ts';
import { formatReply, parseRequest, type Reply, type Request } from '../src/unit/messages.ts';

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
  const { n, body } = parseRequest(message);
  process.send?.(formatReply(n, await reply(body)));
}

async function reply(request: Request): Promise<Reply> {
  try {
    return await unit.perform(request);
  } catch (error) {
    await unit.abandon();
    if (error instanceof LinesideError) return { kind: 'failed', code: error.code, facts: error.facts };
    // A bug, or a library's error: its text could hold anything, so only its name goes on.
    const reason = error instanceof Error ? error.name : 'unknown';
    return { kind: 'failed', code: 'internal', facts: { reason: `${reason} in the unit process` } };
  }
}
