import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceId } from './device.ts';
import { asLinesideError, LinesideError } from './errors.ts';
import type { Registry } from './registry/registry.ts';
import { type Order, provisionBoard, type Stage, type UnitResult } from './station.ts';
import type { SecondPass } from './second-pass.ts';
import type { Probe } from './swd/probe.ts';
import { UnitProcess, type UnitProgram } from './unit/unit-process.ts';

/** Who is told what happens on the line. */
export interface Watcher {
  stage(probe: Probe, stage: Stage | 'waiting for the next board', id: DeviceId | null): void;
  unit(result: UnitResult): void;
}

/** How long an operator has to change the board, and how often the probe is asked. */
const boardChange = { limitMs: 60_000, intervalMs: 300 };

/** One fixture: its probe, and a unit process that stands ready for its next board. */
export class Lane {
  readonly probe: Probe;
  readonly #program: UnitProgram;
  #ready: UnitProcess | undefined;

  constructor(probe: Probe, program: UnitProgram) {
    this.probe = probe;
    this.#program = program;
    this.prepare();
  }

  /** Starts the next process, which has to load: while the operator changes the board. */
  prepare(): void {
    this.#ready ??= UnitProcess.start(this.#program);
  }

  take(): UnitProcess {
    const unit = this.#ready ?? UnitProcess.start(this.#program);
    this.#ready = undefined;
    return unit;
  }

  async close(): Promise<void> {
    await this.#ready?.end();
  }
}

/** One run of the line: what every lane of it shares. */
interface Run {
  readonly registry: Registry;
  readonly order: Order;
  readonly watcher: Watcher;
  /** Finish the boards in work, begin no more. */
  readonly ended: AbortSignal;
  readonly stop: () => void;
  readonly secondPass: SecondPass | null;
}

/**
 * Provisions `count` boards over the lanes, none of which holds up another. A lane asked for more than one board
 * waits in between until another chip lies in its fixture. After `interrupt` boards in work are finished and no more
 * begun; so too once the registry fails or the lease is used up.
 */
export async function runLine(
  registry: Registry,
  order: Order,
  lanes: readonly Lane[],
  count: number,
  watcher: Watcher,
  interrupt: AbortSignal,
  secondPass: SecondPass | null,
): Promise<void> {
  const halt = new AbortController();
  const ended = AbortSignal.any([interrupt, halt.signal]);
  const run = { registry, order, watcher, ended, stop: () => halt.abort(), secondPass };
  const share = (at: number) => Math.floor((count + lanes.length - 1 - at) / lanes.length);
  const ends = await Promise.allSettled(lanes.map((lane, at) => runLane(run, lane, share(at))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function runLane(run: Run, lane: Lane, share: number): Promise<void> {
  let previous: UnitResult | undefined;
  for (let made = 0; made < share && !run.ended.aborted; made += 1) {
    const result = await runUnit(run, lane, previous);
    if (!result) return;
    if (made + 1 < share) lane.prepare();
    run.watcher.unit(result);
    if (stopsTheLine(result)) run.stop();
    previous = result;
  }
}

/** One board, after the one before it was taken away. Undefined if the run ended meanwhile. */
async function runUnit(
  run: Run,
  lane: Lane,
  previous: UnitResult | undefined,
): Promise<UnitResult | undefined> {
  const { probe } = lane;
  const unit = lane.take();
  try {
    if (previous) await nextBoard(run, probe, unit, previous);
    if (run.ended.aborted) return undefined;
    const tell = (stage: Stage, id: DeviceId | null) => run.watcher.stage(probe, stage, id);
    const result = await provisionBoard(run.registry, run.order, probe, unit, tell);
    return result.result === 'pass' && run.secondPass ? await run.secondPass(result, probe, tell) : result;
  } catch (thrown) {
    const error = asLinesideError(thrown);
    return { result: 'fail', id: null, state: null, probe: probe.name, uid: null, spkiSha256: null, error };
  } finally {
    await unit.end();
  }
}

/**
 * Waits until the board was changed, or the run ended. After a PASS only another chip will do, since contacts bounce
 * while a board is lifted; after a FAIL the same board put back is a second try.
 * @throws LinesideError `board-not-changed`, and what says that no board can ever be seen
 */
async function nextBoard(run: Run, probe: Probe, unit: UnitProcess, previous: UnitResult): Promise<void> {
  run.watcher.stage(probe, 'waiting for the next board', null);
  const limit = Date.now() + boardChange.limitMs;
  let empty = isEmpty(previous.error);
  while (!run.ended.aborted && Date.now() < limit) {
    const seen = await look(run.order, probe, unit);
    if (seen === 'nothing') empty = true;
    else if (seen === 'unreadable' || seen === previous.uid) {
      if (empty && previous.result !== 'pass') return;
    } else return;
    await delay(boardChange.intervalMs, undefined, { signal: run.ended }).catch(() => {});
  }
  if (!run.ended.aborted) throw new LinesideError('board-not-changed', { probe: probe.name });
}

/** The uid of what lies in the fixture, `unreadable` for a chip that cannot be read, or `nothing`. */
async function look(order: Order, probe: Probe, unit: UnitProcess): Promise<string> {
  try {
    return (await unit.examine(order.chip.name, probe)).uid;
  } catch (thrown) {
    const error = asLinesideError(thrown);
    if (isEmpty(error)) return 'nothing';
    if (error.exit === 4 || error.exit === 5) return 'unreadable';
    throw error;
  }
}

function isEmpty(error: LinesideError | null): boolean {
  return error?.code === 'target-absent' || error?.code === 'probe-unreachable';
}

/** The registry, the lease, or the CA: what no other board can fare better with. */
function stopsTheLine({ error, state }: UnitResult): boolean {
  if (error === null) return false;
  const notCertified = state === 'verified' || state === 'exported';
  return [3, 6, 9].includes(error.exit) || (notCertified && [7, 8].includes(error.exit));
}
