import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthorityProcess } from './authority-process.ts';
import { asLinesideError, LinesideError, systemWords } from './errors.ts';
import { exportBatch } from './export-batch.ts';
import { importBatch } from './import-batch.ts';
import { type DebugPort, installCredentials } from './install.ts';
import type { Station } from './station-directory.ts';
import type { Tell, UnitResult } from './station.ts';
import type { Probe } from './swd/probe.ts';
import type { UnitProgram } from './unit/unit-process.ts';

/** What follows for a board that has passed: its certificate, if a CA is at hand. */
export type SecondPass = (passed: UnitResult, probe: Probe, tell: Tell) => Promise<UnitResult>;

/**
 * The way over the stick without the stick: the same batches, checked by the same rules on both sides, in a directory
 * of the station that is gone afterwards. If it is cut anywhere, the next run, or a stick, goes on with that batch.
 */
export function secondPassWith(
  authority: AuthorityProcess,
  directory: string,
  station: Station,
  program: UnitProgram,
  debugPort: DebugPort,
): SecondPass {
  let last: Promise<void> = Promise.resolve();
  const inTurn = () => {
    last = last.catch(() => {}).then(() => exchange(authority, directory, station));
    return last;
  };
  return async (passed, probe, tell) => {
    try {
      tell('certifying', passed.id);
      await inTurn();
      tell('installing the certificate', passed.id);
      await installCredentials(program, station, probe, debugPort);
      return { ...passed, state: 'installed' };
    } catch (thrown) {
      const state = passed.id === null ? null : ((await station.registry.find(passed.id))?.state ?? null);
      return { ...passed, result: 'fail', state, error: asLinesideError(thrown) };
    }
  };
}

/** Every batch that is still to be answered, in the order of the numbers, and then what is in none yet. */
async function exchange(authority: AuthorityProcess, directory: string, station: Station): Promise<void> {
  const workshop = await mkdtemp(join(directory, '.lineside-')).catch((cause: unknown) => {
    throw new LinesideError(
      'directory-unwritable',
      { path: directory, reason: systemWords(cause) },
      { cause },
    );
  });
  try {
    for (const which of await batchesToSend(station)) {
      const [requests, answer] = [join(workshop, `out-${which}`), join(workshop, `in-${which}`)];
      await exportBatch(directory, station, requests, which);
      await authority.sign(requests, answer);
      await importBatch(station, answer);
    }
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function batchesToSend({ registry }: Station): Promise<(number | 'next')[]> {
  const waiting = new Set<number>();
  for await (const { batch } of registry.units({ states: ['exported'] }))
    if (batch !== null) waiting.add(batch);
  const fresh: 'next'[] = [];
  for await (const _ of registry.units({ states: ['verified'] })) {
    fresh.push('next');
    break;
  }
  return [...[...waiting].sort((one, other) => one - other), ...fresh];
}
