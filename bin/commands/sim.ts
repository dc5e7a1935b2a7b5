import { type Command, InvalidArgumentError, Option } from 'commander';
import { LinesideError, systemCode } from '../../src/errors.ts';
import type { Board } from '../../sim/board.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly boards: number;
  readonly chip: string;
  readonly fault: readonly string[];
}

interface Fault {
  readonly board: number;
  readonly fault: string;
}

export function addSim(program: Command, session: Session): void {
  program
    .command('sim')
    .description('simulated boards for training and tests, until stopped')
    .option('--boards <n>', 'how many, each with a probe of its own', parseBoards, 1)
    .option('--chip <part>', 'which chip', 'nrf52840')
    .addOption(
      new Option(
        '--fault <board:fault...>',
        'what goes wrong on which board, for example 0:unplugged@64',
      ).default([], 'none'),
    )
    .action((options: Options) => run(options, session));
}

async function run({ boards, chip, fault }: Options, { ui, interrupted }: Session): Promise<void> {
  const { chipNames, isChipName, startBoard } = await import('../../sim/board.ts');
  if (!isChipName(chip)) throw new LinesideError('unknown-chip', { chip, known: chipNames.join(', ') });
  const faults = fault.map((text) => parseFault(text, boards));
  const started = Array.from({ length: boards }, (_, index) => startBoard({ index, chip }));
  const running = await Promise.all(started);
  try {
    for (const board of running) set(board, faults);
    for (const { index, port, serial } of running)
      ui.result(
        { type: 'board', index, port, serial },
        `board ${index} is on port ${port}: --probe NAME=sim:${port}`,
      );
    ui.say('Ctrl-C stops the boards');
    if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener('abort', resolve));
  } finally {
    await Promise.all(running.map((board) => board.close()));
  }
}

/** The simulator knows its faults best: what it says of a wrong one is what the user needs. */
function set(board: Board, faults: readonly Fault[]): void {
  try {
    board.setFaults(faults.filter((each) => each.board === board.index).map((each) => each.fault));
  } catch (cause) {
    throw new LinesideError('usage', { problem: systemCode(cause) }, { cause });
  }
}

function parseFault(text: string, boards: number): Fault {
  const [, board, fault] = /^(\d{1,3}):(.+)$/.exec(text) ?? [];
  if (fault === undefined || Number(board) >= boards) {
    throw new LinesideError('usage', {
      problem: `--fault takes BOARD:FAULT, BOARD from 0 to ${boards - 1}, not "${text}"`,
    });
  }
  return { board: Number(board), fault };
}

function parseBoards(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('from 1 to 999');
  return Number(text);
}
