import type { Target } from './connect.ts';
import { erasePage } from './program.ts';
import { comparingTcl, mustBeWritten, mustMatch, writingTcl } from './word-writer.ts';

const patience = { doing: 'writing the credentials page', seconds: 60 };
const wordLength = 4;

/**
 * Erases the credentials page and writes it anew; of the rest of the chip nothing is erased, read or written. As
 * with the identity page the body goes first and is compared before the magic word is written: if power fails
 * anywhere here, the page is not one, or it is the new one. An erase that power cuts leaves bits that no one can
 * foretell, and a hash that does not fit them.
 * @throws LinesideError `erase-failed`, `credentials-write-failed`, `flash-not-ready`, `credentials-differ`, `read-failed`
 */
export async function writeCredentialsPage(target: Target, page: Uint8Array): Promise<void> {
  const { credentialsPage } = target.chip;
  await erasePage(target, credentialsPage);
  for (const [from, to] of [
    [wordLength, page.length],
    [0, wordLength],
  ] as const) {
    const words = page.subarray(from, to);
    await write(target, credentialsPage + from, words);
    await compare(target, credentialsPage + from, words);
  }
}

async function write({ openocd, chip }: Target, address: number, words: Uint8Array): Promise<void> {
  const { before, after } = writingTcl(chip, address);
  const answer = await openocd.exchange(Buffer.from(before + inTcl(words) + after), patience);
  mustBeWritten(answer, address, 'credentials-write-failed');
}

async function compare({ openocd }: Target, address: number, words: Uint8Array): Promise<void> {
  const { before, after } = comparingTcl(address, words.length / wordLength);
  const answer = await openocd.exchange(Buffer.from(before + inTcl(words) + after), patience);
  mustMatch(answer, address, 'credentials-differ');
}

/** Little-endian words as OpenOCD prints them. Nothing in this page is secret: strings will do. */
function inTcl(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Array.from({ length: bytes.length / wordLength }, (_, at) =>
    view.getUint32(at * wordLength, true),
  );
  return words.map((word) => `0x${word.toString(16)}`).join(' ');
}
