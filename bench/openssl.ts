import { execFileSync } from 'node:child_process';

/** How often one core verifies and signs with P-256 in a second, by the clock on the wall and by its own time. */
export function speed(clock: 'wall' | 'core'): { readonly sign: number; readonly verify: number } {
  const elapsed = clock === 'wall' ? ['-elapsed'] : [];
  const table = execFileSync('openssl', ['speed', ...elapsed, '-seconds', '1', 'ecdsap256'], {
    stdio: 'pipe',
  });
  const last = table.toString().trim().split('\n').at(-1) ?? '';
  const [sign = 1, verify = 1] = last.trim().split(/\s+/).slice(-2).map(Number);
  return { sign, verify };
}
