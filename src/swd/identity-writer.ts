import { LinesideError } from '../errors.ts';
import type { SecretArena } from '../secret.ts';
import { hexAddress } from './chip.ts';
import type { Target } from './connect.ts';
import { SecretScript } from './secret-script.ts';

/** Polls of the flash controller per word before it is given up; each is a round trip of the probe. */
const maximumPolls = 1000;

const patience = { doing: 'writing the identity page', seconds: 20 };

/**
 * Writes the identity page and has OpenOCD compare it with what the chip holds. The body goes first and is
 * compared before the magic word is written: if the power fails anywhere here, or a flash bit is bad, the page
 * never looks whole.
 *
 * `page` lies in `arena`, and so do the scripts made of it. OpenOCD is silenced meanwhile (its server repeats
 * results and, at higher levels, commands), and every answer is one of a few public words.
 * @throws LinesideError `write-failed`, `flash-not-ready`, `identity-differs`
 */
export async function writeIdentityPage(target: Target, page: Uint8Array, arena: SecretArena): Promise<void> {
  const { openocd, chip } = target;
  const wordLength = 4;
  const script = new SecretScript(arena, page.length * 8);
  const silenced = await openocd.run('debug_level -3', patience);
  if (silenced.code !== 0) throw new Error('OpenOCD cannot be silenced');
  try {
    for (const [from, to] of [
      [wordLength, page.length],
      [0, wordLength],
    ] as const) {
      const words = page.subarray(from, to);
      await write(target, script, chip.identityPage + from, words);
      await compare(target, script, chip.identityPage + from, words);
    }
  } finally {
    script.wipe();
  }
  await openocd.run('debug_level 1', patience);
}

/**
 * Blanks the page again after a failure, as far as the board still answers: a reject keeps no key, and no page that
 * looks whole. Nobody can do it for a board that went away, so nothing may rely on it.
 */
export async function withdrawIdentityPage({ openocd, chip }: Target): Promise<void> {
  const withdrawing = { doing: 'withdrawing the identity page', seconds: 20 };
  await openocd.run('halt', withdrawing);
  await openocd.run(
    `flash erase_address ${hexAddress(chip.identityPage)} ${chip.flash.pageSize}`,
    withdrawing,
  );
}

/** One word at a time with a bounded wait for the flash controller, past OpenOCD's loader, which would leave the key in RAM. */
async function write({ openocd, chip }: Target, script: SecretScript, address: number, words: Uint8Array) {
  const { open, busy, close } = chip.flashWrite;
  script.restart();
  script.text(
    `proc lineside_write {} { set at ${address}; set stuck 0; set code [catch { ${open}; foreach word {`,
  );
  script.words(words);
  script.text(
    `} { write_memory $at 32 [list $word]; set polls 0; while {${busy}} { incr polls; ` +
      `if {$polls > ${maximumPolls}} { set stuck 1; error stuck } }; incr at 4 } }]; ` +
      `catch { ${close} }; return [list $code $stuck $at] }; ` +
      'set answer [lineside_write]; rename lineside_write {}; set answer',
  );
  const answer = await openocd.exchange(script.bytes, patience);
  const [, code, stuck, at] = /^(-?\d+) ([01]) (\d+)$/.exec(answer) ?? [];
  if (code === '0') return;
  const where = { address: hexAddress(Number(at ?? address)) };
  throw new LinesideError(stuck === '1' ? 'flash-not-ready' : 'write-failed', where);
}

async function compare({ openocd }: Target, script: SecretScript, address: number, words: Uint8Array) {
  script.restart();
  script.text('proc lineside_compare {} { ');
  script.text(`if {[read_memory ${address} 32 ${words.length / 4}] eq {`);
  script.words(words);
  script.text('}} { return MATCH }; return DIFF }; ');
  script.text('if {[catch lineside_compare answer]} { set answer UNREADABLE }; ');
  script.text('rename lineside_compare {}; set answer');
  const answer = await openocd.exchange(script.bytes, patience);
  if (answer === 'MATCH') return;
  if (answer === 'DIFF') throw new LinesideError('identity-differs');
  throw new LinesideError('read-failed', { address: hexAddress(address) });
}
