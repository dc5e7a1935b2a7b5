import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { readIdentityPage } from '../factory-data/identity-page-reader.ts';
import { lineside, records } from '../support/program.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What became of one board with a fault, and of the board that came after it on the same probe. */
interface FaultyBoard {
  /** Its record in the output. */
  readonly record: Fields | undefined;
  /** Its unit as the registry has it. */
  readonly unit: Fields | undefined;
  /** Its identity page after the run. */
  readonly page: Buffer;
  readonly next: Fields | undefined;
}

interface FaultyRun {
  readonly exit: number | null;
  readonly nextExit: number | null;
  readonly boards: ReadonlyMap<string, FaultyBoard>;
  /** Every id the registry knows at the end. */
  readonly ids: readonly string[];
  readonly end: () => Promise<void>;
}

/** The run of these boards, made once before the tests of the group that asks. */
export function ran(
  faults: readonly string[],
  next: (board: Board) => void,
  options: readonly string[],
): () => FaultyRun {
  let run: FaultyRun | undefined;
  beforeAll(async () => {
    run = await runWithFaults(faults, options, next);
    return run.end;
  });
  return () => {
    if (!run) throw new Error('the boards did not run');
    return run;
  };
}

/**
 * Provisions boards with faults, one fault each and all in one run, then takes the faults back, has `next` put in
 * what comes next, and runs again.
 */
async function runWithFaults(
  faults: readonly string[],
  options: readonly string[],
  next: (board: Board) => void,
): Promise<FaultyRun> {
  const workshop = await mkdtemp(join(tmpdir(), 'lineside-faults-'));
  const boards = await Promise.all(
    faults.map((fault, index) => startBoard({ index, faults: fault.split(' and ') })),
  );
  const directory = await newStation(join(workshop, 'st07'), boards);
  const provision = () => lineside(['--json', '--station', directory, 'provision', ...options]);

  const first = await provision();
  const units = await unitsOf(directory);
  const pages = boards.map((board) => Buffer.from(board.flash.subarray(0xff000, 0x100000)));
  for (const board of boards) {
    board.setFaults([]);
    next(board);
  }
  const second = await provision();

  const of = (stdout: string, probe: string) => records(stdout).find((record) => record['probe'] === probe);
  const outcome = (index: number): FaultyBoard => {
    const record = of(first.stdout, `p${index}`);
    const unit = units.find((each) => each['id'] === record?.['id']);
    return { record, unit, page: pages[index] ?? Buffer.alloc(0), next: of(second.stdout, `p${index}`) };
  };
  return {
    exit: first.code,
    nextExit: second.code,
    boards: new Map(faults.map((fault, index) => [fault, outcome(index)])),
    ids: (await unitsOf(directory)).map((unit) => String(unit['id'])),
    end: async () => {
      await Promise.all(boards.map((board) => board.close()));
      await rm(workshop, { recursive: true });
    },
  };
}

/** Whether a device would take this page for its identity: magic word, structure and hash. */
export function looksWhole(page: Buffer | undefined): boolean {
  try {
    return page !== undefined && readIdentityPage(page).id !== '';
  } catch {
    return false;
  }
}

/** A weak bit is one that cannot be cleared: in a byte of the key that happens to be FF there is none to clear. */
export function keepsItsBits(fault: string, page: Buffer | undefined): boolean {
  const [, address] = /^weak-bit@(0xFF\w{3})$/.exec(fault) ?? [];
  return address !== undefined && page?.[Number(address) - 0xff000] === 0xff;
}

/** A vector table and no two blocks alike. */
export function someFirmware(length: number): Buffer {
  const image = Buffer.from(Array.from({ length }, (_, at) => at % 251));
  image.writeUInt32LE(0x20040000, 0);
  image.writeUInt32LE(0x00000009, 4);
  return image;
}

async function newStation(directory: string, boards: readonly Board[]): Promise<string> {
  const probes = boards.map((board, index) => `p${index}=sim:${board.port}`);
  const named = ['--name', 'st07', '--chip', 'nrf52840', '--lease', '00000001-000000FF'];
  const init = await lineside(['init', directory, ...named, '--probe', ...probes]);
  if (init.code !== 0) throw new Error(init.stderr);
  return directory;
}

async function unitsOf(directory: string): Promise<Fields[]> {
  return records((await lineside(['--json', '--station', directory, 'registry', 'list'])).stdout);
}
