import { createHash } from 'node:crypto';
import { LinesideError } from '../errors.ts';
import { isElf, parseElf } from './elf.ts';
import { parseIntelHex } from './intel-hex.ts';
import { checkPlacement, type FlashMap } from './placement.ts';
import { readRegularFile } from './regular-file.ts';
import { FirmwareRefused, joinSegments, type Segment, sortSegments } from './segments.ts';

type FirmwareFormat = 'ihex' | 'elf' | 'bin';

/** A firmware that fits the chip. */
export interface Firmware {
  readonly path: string;
  readonly format: FirmwareFormat;
  /** Sorted by address, never touching or overlapping; at least one, none of them empty. */
  readonly segments: readonly Segment[];
  /** SHA-256 of the file in lower-case hex, and its length in bytes. */
  readonly sha256: string;
  readonly size: number;
}

/**
 * Reads the file once, so that what is hashed is what is parsed and checked. Symbolic links are followed.
 * @throws LinesideError `firmware-unreadable`, and those of `parseFirmware`
 */
export async function readFirmware(path: string, flash: FlashMap): Promise<Firmware> {
  return parseFirmware(path, await readRegularFile(path), flash);
}

/** @throws LinesideError `firmware-invalid`, `firmware-outside-flash`, `firmware-overlaps-factory-data` */
export function parseFirmware(path: string, file: Buffer, flash: FlashMap): Firmware {
  const format = formatOf(file);
  const sorted = parse(path, format, file, flash);
  checkPlacement(path, sorted, flash);
  const sha256 = createHash('sha256').update(file).digest('hex');
  return { path, format, segments: joinSegments(sorted), sha256, size: file.length };
}

// A file that begins with ':' is never a raw binary, however damaged: 0x3A cannot begin a vector table, whose
// first word is a word-aligned stack pointer (ARMv7-M B1.5.3).
function formatOf(file: Buffer): FirmwareFormat {
  if (isElf(file)) return 'elf';
  if (file[0] === 0x3a) return 'ihex';
  return isText(file) && file.toString('latin1').trimStart().startsWith(':') ? 'ihex' : 'bin';
}

function parse(path: string, format: FirmwareFormat, file: Buffer, flash: FlashMap): Segment[] {
  try {
    if (format === 'elf') return sortSegments(parseElf(file));
    if (format === 'ihex') return sortSegments(parseIntelHex(file.toString('latin1')));
    return sortSegments(parseBinary(file, flash.start));
  } catch (cause) {
    if (!(cause instanceof FirmwareRefused)) throw cause;
    throw new LinesideError('firmware-invalid', { path, reason: cause.message }, { cause });
  }
}

// A raw binary says nothing of itself; but text is no program, and S-records or a README are easily picked.
function parseBinary(file: Buffer, address: number): Segment[] {
  if (file.length === 0) return [];
  if (isText(file)) throw new FirmwareRefused('it is text, but not Intel HEX');
  return [{ address, bytes: file }];
}

function isText(file: Buffer): boolean {
  return file.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}
