import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { LinesideError, systemCode } from '../errors.ts';
import type { Firmware } from './firmware.ts';
import { toIntelHex } from './intel-hex.ts';

/** A firmware ready for OpenOCD, for as long as this process lives and holds it. */
export interface HeldImage {
  /** `/proc/<pid>/fd/<n>`: Intel HEX written by us from the checked segments. */
  readonly path: string;
  /** SHA-256 of the operator's file. */
  readonly sha256: string;
  release(): Promise<void>;
}

/** open(2): a file in this directory that never gets a name. Not in Node's list of constants. */
const O_TMPFILE = 0o20200000;
const directory = '/dev/shm';

/**
 * OpenOCD is not given the operator's file: that could change after it was checked, and OpenOCD's parser could
 * read it otherwise than ours. It gets our own writing of what was checked, in memory, which no one can rename.
 * @throws LinesideError `directory-unwritable`
 */
export async function holdImage({ segments, sha256 }: Firmware): Promise<HeldImage> {
  try {
    const file = await open(directory, constants.O_RDWR | O_TMPFILE, 0o600);
    await file.writeFile(toIntelHex(segments));
    return { path: `${await realpath('/proc/self')}/fd/${file.fd}`, sha256, release: () => file.close() };
  } catch (cause) {
    throw new LinesideError(
      'directory-unwritable',
      { path: directory, reason: systemCode(cause) },
      { cause },
    );
  }
}
