import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';

/**
 * The clock that nobody sets: which start of the PC this is (random(4), boot_id) and the seconds since then, also
 * those asleep. The wall clock of a PC without a network is only a claim.
 */
export async function bootClock(): Promise<{ id: string; seconds: () => number }> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return { id: id.trim(), seconds: uptime };
}
