import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Board } from '../../sim/board.ts';

const targetScripts = { nrf52840: 'target/nrf52.cfg', stm32f405: 'target/stm32f4x.cfg' };

interface Run {
  readonly code: number | null;
  /** OpenOCD logs and echoes to stderr. */
  readonly output: string;
}

/** The stock OpenOCD on a board, with nothing of lineside around it. */
export async function openocd(board: Board, script: string, before = ''): Promise<Run> {
  const child = startOpenocd(board, script, before);
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return { code: child.exitCode, output: Buffer.concat(chunks).toString() };
}

export function startOpenocd(board: Board, script: string, before = '') {
  const adapter = [
    'adapter driver st-link',
    `st-link backend tcp ${board.port}`,
    'st-link vid_pid 0x0483 0x3748',
    `adapter serial ${board.serial}`,
    'transport select dapdirect_swd',
  ];
  const ports = ['gdb_port disabled', 'telnet_port disabled', 'tcl_port disabled'];
  return spawn(
    '/usr/bin/openocd',
    ['-c', [...ports, ...adapter, before].join('; '), '-f', targetScripts[board.chip], '-c', script],
    { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

/** Set before the target file: OpenOCD then uses no RAM of the target, and so no loader. */
export const NO_WORK_AREA = 'set WORKAREASIZE 0';

/** Eight words written one by one to 0xff000 with READY polled, as lineside writes a key. */
export const WRITE_WORDS = `
  mww 0x4001e504 1
  set a 0xff000
  foreach w {0x11111111 0x22222222 0x33333333 0x44444444 0x55555555 0x66666666 0x77777777 0x88888888} {
    write_memory $a 32 [list $w]
    set n 0
    while {[read_memory 0x4001e400 32 1] != 1} { if {[incr n] > 50} { error busy } }
    incr a 4
  }
  mww 0x4001e504 0`;

export const COMPARE_WORDS = `
  if {[read_memory 0xff000 32 8] eq {0x11111111 0x22222222 0x33333333 0x44444444 0x55555555 0x66666666 0x77777777 0x88888888}} {
    echo MATCH
  } else { echo DIFF }`;
