import { type ErrorCode, LinesideError } from '../errors.ts';
import { type Chip, hexAddress, readWord } from './chip.ts';

/** Polls of the flash controller per word before it is given up; each is a round trip of the probe. */
const maximumPolls = 1000;

/** Tcl that goes before and after a list of words: the words of a key never become a string with it. */
interface AroundWords {
  readonly before: string;
  readonly after: string;
}

/** Writes words one at a time with a bounded wait for the flash controller, past OpenOCD's loader. */
export function writingTcl({ flashWrite: { open, status, close } }: Chip, address: number): AroundWords {
  const busy = `([set status [${readWord(status.register)}]] & ${status.mask}) != ${status.done}`;
  return {
    before: `proc lineside_write {} { set at ${address}; set stuck 0; set code [catch { ${open}; foreach word {`,
    after:
      `} { write_memory $at 32 [list $word]; set polls 0; while {${busy}} { incr polls; ` +
      `if {$polls > ${maximumPolls}} { set stuck 1; error stuck } }; ` +
      `if {$status & ${status.errors}} { error refused }; incr at 4 } }]; ` +
      `catch { ${close} }; return [list $code $stuck $at] }; ` +
      'set answer [lineside_write]; rename lineside_write {}; set answer',
  };
}

/** @throws LinesideError `failed`, `flash-not-ready` */
export function mustBeWritten(answer: string, address: number, failed: ErrorCode): void {
  const [, code, stuck, at] = /^(-?\d+) ([01]) (\d+)$/.exec(answer) ?? [];
  if (code === '0') return;
  const where = { address: hexAddress(Number(at ?? address)) };
  throw new LinesideError(stuck === '1' ? 'flash-not-ready' : failed, where);
}

/** Compares words with what the chip holds, inside OpenOCD; the answer is one of a few public words. */
export function comparingTcl(address: number, count: number): AroundWords {
  return {
    before: `proc lineside_compare {} { if {[read_memory ${address} 32 ${count}] eq {`,
    after:
      '}} { return MATCH }; return DIFF }; if {[catch lineside_compare answer]} { set answer UNREADABLE }; ' +
      'rename lineside_compare {}; set answer',
  };
}

/** @throws LinesideError `differs`, `read-failed` */
export function mustMatch(answer: string, address: number, differs: ErrorCode): void {
  if (answer === 'MATCH') return;
  if (answer === 'DIFF') throw new LinesideError(differs);
  throw new LinesideError('read-failed', { address: hexAddress(address) });
}
