import { LinesideError } from '../errors.ts';
import { hexAddress } from './chip.ts';
import type { Target } from './connect.ts';
import type { OpenOcd } from './openocd.ts';
import type { Patience } from './tcl.ts';

/** The number a Tcl command yields; undefined if it failed or answered anything else, an empty text included. */
export async function evaluateNumber(
  openocd: OpenOcd,
  script: string,
  patience: Patience,
): Promise<number | undefined> {
  const { code, text } = await openocd.run(script, patience);
  return code === 0 && isWord(text.trim()) ? Number(text.trim()) : undefined;
}

function isWord(text: string): boolean {
  return /^0x[0-9a-f]{1,8}$/i.test(text);
}

/**
 * Reads public bytes; `length` is a multiple of 4. The reply of OpenOCD holds them as text, so this must never
 * be used where a key lies.
 * @throws LinesideError `read-failed`
 */
export async function readPublic({ openocd }: Target, address: number, length: number): Promise<Uint8Array> {
  const script = `read_memory ${hexAddress(address)} 32 ${length / 4}`;
  const { code, text } = await openocd.run(script, { doing: 'reading the board', seconds: 10 });
  const words = text.trim().split(/\s+/);
  if (code !== 0 || words.length !== length / 4 || !words.every(isWord)) {
    throw new LinesideError('read-failed', { address: hexAddress(address) });
  }
  const bytes = Buffer.alloc(length);
  words.forEach((word, index) => bytes.writeUInt32LE(Number(word), index * 4));
  return bytes;
}

/** The chip's own unique number, 16 upper-case hex digits. @throws LinesideError `read-failed` */
export async function readUid(target: Target): Promise<string> {
  const words = [];
  for (const address of target.chip.uid)
    words.push(Buffer.from(await readPublic(target, address, 4)).readUInt32LE());
  return words.map((word) => word.toString(16).toUpperCase().padStart(8, '0')).join('');
}
