import { type Command, InvalidArgumentError } from 'commander';
import { LinesideError, systemCode } from '../../src/errors.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly boards: number;
  readonly chip: string;
  readonly fault: readonly string[];
}

export function addSim(program: Command, session: Session): void {
  program
    .command('sim')
    .description('simulated boards for training and tests, until stopped')
    .option('--boards <n>', 'how many, each with a probe of its own', parseBoards, 1)
    .option('--chip <part>', 'which chip', 'nrf52840')
    .option('--fault <board:fault...>', 'what goes wrong on which board, for example 0:unplugged@64', [])
    .action((options: Options) => run(options, session));
}

async function run({ boards, chip, fault }: Options, { ui, interrupted }: Session): Promise<void> {
  if (chip !== 'nrf52840') throw new LinesideError('unknown-chip', { chip, known: 'nrf52840' });
  const { startBoard } = await import('../../sim/board.ts');
  const faults = fault.map((text) => parseFault(text, boards));
  const running = [];
  for (let index = 0; index < boards; index += 1) {
    const board = await startBoard({ index });
    running.push(board);
    set(
      board,
      faults.filter((each) => each.board === index).map((each) => each.fault),
    );
    const text = `board ${index} is on port ${board.port}: --probe NAME=sim:${board.port}`;
    ui.result({ type: 'board', index, port: board.port, serial: board.serial }, text);
  }
  ui.say('Ctrl-C stops the boards');
  if (!interrupted.aborted) await new Promise((resolve) => interrupted.addEventListener('abort', resolve));
  await Promise.all(running.map((board) => board.close()));
}

/** The simulator knows its faults best: what it says of a wrong one is what the user needs. */
function set(board: { setFaults(faults: readonly string[]): void }, faults: readonly string[]): void {
  try {
    board.setFaults(faults);
  } catch (cause) {
    throw new LinesideError('usage', { problem: systemCode(cause) }, { cause });
  }
}

function parseFault(text: string, boards: number): { board: number; fault: string } {
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
