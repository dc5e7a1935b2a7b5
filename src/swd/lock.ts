import { LinesideError } from '../errors.ts';
import type { Target } from './connect.ts';
import { evaluateNumber } from './read.ts';

/**
 * Closes the debug port for good and proves it: the reset makes the lock take hold and starts the firmware.
 * @throws LinesideError `lock-failed`, `lock-unproven`
 */
export async function lockDebugPort({ openocd, chip }: Target): Promise<void> {
  await openocd.run(chip.lock, { doing: 'locking the debug port', seconds: 10 });
  // OpenOCD may call a reset after which it can no longer reach the core a failure; the proof below decides.
  await openocd.run('reset run', { doing: 'starting the firmware', seconds: 10 });
  const unlocked = await evaluateNumber(openocd, chip.unlocked, { doing: 'proving the lock', seconds: 5 });
  if (unlocked === 1) throw new LinesideError('lock-failed');
  if (unlocked !== 0) throw new LinesideError('lock-unproven');
}

/**
 * Erases the whole chip, its identity and its lock. OpenOCD's own command answers 0 even when it failed, so the
 * port is asked.
 * @throws LinesideError `recover-failed`
 */
export async function eraseEverything({ openocd, chip }: Target): Promise<void> {
  await openocd.run(chip.recover, { doing: 'erasing the whole chip', seconds: 60 });
  const unlocked = await evaluateNumber(openocd, chip.unlocked, { doing: 'proving the erase', seconds: 5 });
  if (unlocked !== 1) throw new LinesideError('recover-failed');
}
