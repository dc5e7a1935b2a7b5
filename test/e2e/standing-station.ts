import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect } from 'vitest';
import { type Board, startBoard } from '../../sim/board.ts';
import { lineside } from '../support/program.ts';
import { contents } from './refusal.ts';

/** One station with one blank board for all tests of a group, none of which may change a byte of either. */
export function standingStation(): () => string {
  const workshop = mkdtempSync(join(tmpdir(), 'lineside-standing-'));
  const directory = join(workshop, 'st07');
  let board: Board;
  let before: string[];
  beforeAll(async () => {
    board = await startBoard({ index: 0 });
    await lineside([
      'init',
      directory,
      '--name',
      'st07',
      '--chip',
      'nrf52840',
      '--probe',
      `a=sim:${board.port}`,
    ]);
    before = contents(directory);
    return async () => {
      await board.close();
      rmSync(workshop, { recursive: true });
    };
  });
  afterEach(() => {
    expect(contents(directory)).toEqual(before);
    expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
  });
  return () => directory;
}
