import { styleText } from 'node:util';
import type { LinesideError } from '../src/errors.ts';

/*
 * The output rules of the whole program. Results go to stdout, words to stderr. With --json every line of stdout is
 * one JSON record with a `type`, and an error is a record too. Colour and moving lines only on a terminal, no
 * colour with NO_COLOR. Errors are two lines, lower case, no full stop: what failed, and what to do.
 */

type Record = { readonly type: string } & { readonly [key: string]: unknown };

const colours = { pass: 'green', fail: 'red', 'in-doubt': 'yellow' } as const;

export interface Ui {
  /** One result: the record for machines, the text for people. */
  result(record: Record, text: string): void;
  /** Words on the side. */
  say(text: string): void;
  /** A line that the next one replaces on a terminal. */
  progress(text: string): void;
  /** Neither an error nor a result by itself: the two lines of an error that belongs to a result. */
  explain(error: LinesideError): void;
  error(error: LinesideError): void;
  /** Green, red or amber on a terminal; the word must carry the meaning by itself. */
  emphasise(result: 'pass' | 'fail' | 'in-doubt', word: string): string;
}

export function makeUi(json: boolean, out: NodeJS.WriteStream, err: NodeJS.WriteStream): Ui {
  let moving = false;
  const clear = () => {
    if (moving) err.write('\r\x1b[K');
    moving = false;
  };
  const say = (text: string) => {
    clear();
    err.write(`${text}\n`);
  };
  const explain = ({ message, action }: LinesideError) => {
    say(`${mark(err, 'red', 'lineside:')} ${printable(message)}`);
    say(`${mark(err, 'bold', 'hint:')} ${printable(action)}`);
  };
  return {
    say,
    explain,
    result: (record, text) => {
      clear();
      out.write(json ? `${JSON.stringify(record)}\n` : `${text}\n`);
    },
    progress: (text) => {
      if (!err.isTTY) return say(text);
      err.write(`\r\x1b[K${text}`);
      moving = true;
    },
    error: (error) => {
      const { code, message, action, exit } = error;
      if (json) out.write(`${JSON.stringify({ type: 'error', code, message, action, exit })}\n`);
      explain(error);
    },
    emphasise: (result, word) => mark(out, colours[result], word),
  };
}

/** Styled if the stream is a terminal that wants it (NO_COLOR, TERM and the like are looked at by Node). */
function mark(stream: NodeJS.WriteStream, style: 'red' | 'green' | 'yellow' | 'bold', text: string): string {
  return stream.isTTY && stream.hasColors() ? styleText(style, text, { validateStream: false }) : text;
}

/** Text from outside (paths, ids, a file's contents) must not move the cursor or clear the screen (CWE-150). */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
