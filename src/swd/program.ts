import { LinesideError } from '../errors.ts';
import { hexAddress } from './chip.ts';
import type { Target } from './connect.ts';

/** @throws LinesideError `halt-failed` */
export async function haltCore({ openocd }: Target): Promise<void> {
  const { code } = await openocd.run('halt', { doing: 'halting the core', seconds: 10 });
  if (code !== 0) throw new LinesideError('halt-failed');
}

/**
 * Blanks both factory pages: what an earlier attempt left there may be the rest of a key.
 * @throws LinesideError `erase-failed`
 */
export async function eraseFactoryPages(target: Target): Promise<void> {
  for (const page of [target.chip.credentialsPage, target.chip.identityPage]) await erasePage(target, page);
}

/** Blanks one page. @throws LinesideError `erase-failed` */
export async function erasePage({ openocd, chip }: Target, page: number): Promise<void> {
  await openocd.run('flash probe 0', { doing: 'looking at the flash', seconds: 10 });
  const script = `flash erase_address ${hexAddress(page)} ${chip.factoryPageSize}`;
  const { code, text } = await openocd.run(script, { doing: 'erasing', seconds: 20 });
  // Success is a positive text: some of OpenOCD's drivers return 0 for what they did not do.
  if (code !== 0 || !/^erased address /m.test(text))
    throw new LinesideError('erase-failed', { address: hexAddress(page) });
}

/**
 * Programs the firmware image, Intel HEX at `path`, with OpenOCD's flash loader and has it compared on the target.
 * @throws LinesideError `program-failed`, `program-differs`
 */
export async function programFirmware({ openocd }: Target, path: string): Promise<void> {
  const write = `flash write_image erase ${path} 0 ihex`;
  const written = await openocd.run(write, { doing: 'programming the firmware', seconds: 300 });
  if (written.code !== 0 || !/^wrote \d+ bytes/m.test(written.text))
    throw new LinesideError('program-failed');
  const verify = `verify_image ${path} 0 ihex`;
  const verified = await openocd.run(verify, { doing: 'comparing the firmware', seconds: 300 });
  if (verified.code !== 0 || !/^verified \d+ bytes/m.test(verified.text))
    throw new LinesideError('program-differs');
}

/** Starts the firmware. @throws LinesideError `reset-failed` */
export async function startFirmware({ openocd }: Target): Promise<void> {
  const { code } = await openocd.run('reset run', { doing: 'starting the firmware', seconds: 10 });
  if (code !== 0) throw new LinesideError('reset-failed');
}
