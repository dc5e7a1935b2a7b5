import { expect, test } from 'vitest';
import type { Search } from '../../support/memory-image.ts';
import { heldKeys, searchMemory } from '../../support/memory-search.ts';
import { descendants } from '../../support/processes.ts';
import { boards, identityOn, station } from '../../support/program.ts';
import { type Running, start } from '../../support/running.ts';

const units = 8;
const leastResident = 32 * 1024 * 1024;

/** What was seen of a run, from its first progress line to the end of its last unit. */
class Witness {
  readonly searches: Search[] = [];
  readonly seenInUnits = new Set<string>();
  readonly #keys: Record<string, Buffer> = {};

  /** Searches the station for every key there is, that of the unit in work among them. */
  async look({ pid }: Running): Promise<void> {
    const unitProcesses = descendants(pid).filter(({ argv }) => argv.at(-1)?.endsWith('unit.js'));
    for (const unit of unitProcesses) {
      const held = await heldKeys(unit.pid).catch(() => []); // it may have ended meanwhile
      for (const key of held) {
        this.seenInUnits.add(key.toString('hex'));
        this.learn(key);
      }
    }
    this.searches.push(await searchMemory(pid, this.#keys));
  }

  learn(key: Uint8Array): void {
    this.#keys[`key ${Buffer.from(key).toString('hex')}`] = Buffer.from(key);
  }
}

test('at no moment of a run does the station process hold a key, though its unit processes do', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('a board was asked for');
  const directory = await station([board]);
  // One board more than there is: at the end the station waits, and can be looked at once more.
  const run = start(['--json', '--station', directory, 'provision', '--count', String(units + 1)]);
  const witness = new Witness();
  const flashed: string[] = [];
  let waits = 0;
  let interrupted = false;
  const see = async (line: string) => {
    if (line.startsWith('{')) {
      expect(JSON.parse(line)).toMatchObject({ result: 'pass' });
      const { privateKey } = identityOn(board);
      flashed.push(Buffer.from(privateKey).toString('hex'));
      witness.learn(privateKey);
      if (flashed.length < units) board.swap();
    }
    await witness.look(run);
    if (line.includes('waiting')) waits += 1;
    interrupted = flashed.length === units && waits >= units; // stdout and stderr may overtake each other
    if (interrupted) process.kill(run.pid, 'SIGINT');
  };
  let seen = Promise.resolve();
  const unseen = new Promise<never>((_, reject) => {
    run.onLine((line) => {
      if (interrupted) return;
      process.kill(run.pid, 'SIGSTOP'); // it goes on when it has been searched
      seen = seen.then(() => see(line)).catch(reject);
    });
  });
  expect(await Promise.race([run.ended, unseen])).toMatchObject({ code: 130 });
  expect(flashed).toHaveLength(units);
  expect(witness.searches.flatMap(({ found }) => found)).toEqual([]);
  expect(witness.searches.length).toBeGreaterThan(units * 6);
  expect(witness.searches.filter(({ scannedBytes }) => scannedBytes < leastResident)).toEqual([]);
  // The control: at those very moments the keys were there to be found, one process further.
  expect(flashed).toEqual(expect.arrayContaining([...witness.seenInUnits]));
  expect(witness.seenInUnits.size).toBeGreaterThan(units / 2);
});
