import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceId } from './device.ts';
import { asLinesideError, LinesideError } from './errors.ts';
import type { Registry } from './registry/registry.ts';
import { type Order, provisionBoard, type Stage, type UnitResult } from './station.ts';
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

  /** Starts the next process, which takes half a second to load: while the operator changes the board. */
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
}

/**
 * Provisions `count` boards over the lanes, none of which holds up another. A lane asked for more than one board waits in between until another chip lies in its fixture. After `interrupt` boards in
 * work are finished and no more begun; so too once the registry fails or the lease is used up.
 */
export async function runLine(
  registry: Registry,
  order: Order,
  lanes: readonly Lane[],
  count: number,
  watcher: Watcher,
  interrupt: AbortSignal,
): Promise<void> {
  const halt = new AbortController();
  const ended = AbortSignal.any([interrupt, halt.signal]);
  const run = { registry, order, watcher, ended, stop: () => halt.abort() };
  await Promise.all(
    lanes.map((lane, at) => runLane(run, lane, Math.floor((count + lanes.length - 1 - at) / lanes.length))),
  );
}

async function runLane(run: Run, lane: Lane, share: number): Promise<void> {
  const { probe } = lane;
  let previous: UnitResult | undefined;
  for (let made = 0; made < share && !run.ended.aborted; made += 1) {
    const unit = lane.take();
    try {
      if (previous && !(await nextBoard(run, probe, unit, previous))) {
        if (!run.ended.aborted) run.watcher.unit(notChanged(probe));
        return;
      }
      const tell = (stage: Stage, id: DeviceId | null) => run.watcher.stage(probe, stage, id);
      previous = await provisionBoard(run.registry, run.order, probe, unit, tell);
    } finally {
      await unit.end();
    }
    if (made + 1 < share) lane.prepare();
    run.watcher.unit(previous);
    if (stopsTheLine(previous)) run.stop();
  }
}

/**
 * Waits until the board was changed: it went away, or was never there, and something answers; or another chip does.
 * False if the run ended or the operator took too long.
 */
async function nextBoard(
  run: Run,
  probe: Probe,
  unit: UnitProcess,
  { uid, error }: UnitResult,
): Promise<boolean> {
  run.watcher.stage(probe, 'waiting for the next board', null);
  const limit = Date.now() + boardChange.limitMs;
  for (let empty = isEmpty(error); !run.ended.aborted && Date.now() < limit; ) {
    const seen = await look(run.order, probe, unit);
    if (seen === 'nothing') empty = true;
    else if (empty || (seen !== 'unreadable' && seen !== uid)) return true;
    await delay(boardChange.intervalMs, undefined, { signal: run.ended }).catch(() => {});
  }
  return false;
}

/** The uid of what lies in the fixture. */
async function look(order: Order, probe: Probe, unit: UnitProcess): Promise<string> {
  try {
    return (await unit.examine(order.chip.name, probe)).uid;
  } catch (error) {
    return isEmpty(asLinesideError(error)) ? 'nothing' : 'unreadable';
  }
}

function isEmpty(error: LinesideError | null): boolean {
  return error?.code === 'target-absent' || error?.code === 'probe-unreachable';
}

function notChanged(probe: Probe): UnitResult {
  const error = new LinesideError('board-not-changed', { probe: probe.name });
  return { result: 'fail', id: null, state: null, probe: probe.name, uid: null, spkiSha256: null, error };
}

/** The registry or the lease: what no other board can fare better with. */
function stopsTheLine({ error }: UnitResult): boolean {
  return error !== null && (error.exit === 6 || error.exit === 9 || error.exit === 3);
}
