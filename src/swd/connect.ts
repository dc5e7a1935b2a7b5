import { LinesideError } from '../errors.ts';
import { type Chip, hexAddress, type IdentityCheck } from './chip.ts';
import { OpenOcd } from './openocd.ts';
import type { Probe } from './probe.ts';
import { evaluateNumber } from './read.ts';

/** A board that answers and is the chip it should be, with the OpenOCD that talks to it. */
export interface Target {
  readonly openocd: OpenOcd;
  readonly chip: Chip;
  readonly probe: Probe;
  readonly locked: boolean;
}

/**
 * Connects and makes sure of the chip before anything is erased: OpenOCD itself programs whatever answers. A
 * locked chip is reported, not refused, because `recover` wants one.
 * @throws LinesideError `probe-unreachable`, `target-absent`, `wrong-…`
 */
export async function connect(probe: Probe, chip: Chip): Promise<Target> {
  const openocd = OpenOcd.start(probe, chip);
  try {
    await initialise(openocd, probe);
    for (const check of chip.portChecks) await hold(openocd, chip, check, probe);
    const target = { openocd, chip, probe, locked: (await readNumber(openocd, chip.unlocked, probe)) === 0 };
    if (!target.locked) await examine(target);
    return target;
  } catch (error) {
    await openocd.close();
    throw error;
  }
}

/** Holds the chip against its profile. The core is left running: a device that is only looked at goes on working. */
async function examine({ openocd, chip, probe }: Target): Promise<void> {
  const examined = await openocd.run(`${chip.core} was_examined`, {
    doing: 'asking for the core',
    seconds: 5,
  });
  if (examined.text.trim() !== '1') throw new LinesideError('target-absent', { probe: probe.name });
  for (const check of chip.chipChecks) await hold(openocd, chip, check, probe);
}

async function initialise(openocd: OpenOcd, probe: Probe): Promise<void> {
  const outcome = await openocd.run('init', { doing: 'connecting', seconds: 15 });
  if (outcome.code !== 0) {
    // OpenOCD's code is the same for a missing probe and a missing board; its words tell them apart, and they come
    // by another pipe than its answer: all of them are here once it has ended.
    await openocd.close();
    const answered = openocd.said(/init mode failed|unable to connect to the target|Error connecting DP/i);
    throw new LinesideError(answered ? 'target-absent' : 'probe-unreachable', { probe: probe.name });
  }
  await openocd.run('poll off', { doing: 'connecting', seconds: 5 });
}

async function hold(openocd: OpenOcd, chip: Chip, check: IdentityCheck, probe: Probe): Promise<void> {
  const found = await readNumber(openocd, check.read, probe);
  if ((found & check.mask) >>> 0 === check.expected) return;
  const facts = { found: hexAddress(found), expected: hexAddress(check.expected), chip: chip.name };
  throw new LinesideError(check.error, facts);
}

async function readNumber(openocd: OpenOcd, script: string, probe: Probe): Promise<number> {
  const value = await evaluateNumber(openocd, script, { doing: 'identifying the chip', seconds: 5 });
  if (value === undefined) throw new LinesideError('target-absent', { probe: probe.name });
  return value;
}
