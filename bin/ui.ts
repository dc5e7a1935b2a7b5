import { styleText } from 'node:util';
import type { LinesideError } from '../src/errors.ts';
import { printable, printableJson } from '../src/printable.ts';

/*
 * The output rules of the whole program. Results go to stdout, words to stderr. With --json every line of stdout is
 * one JSON record with a `type`, and an error is a record too. Colour and moving lines only on a terminal, no
 * colour with NO_COLOR. Errors are two lines, lower case, no full stop: what failed, and what to do. Whatever is
 * printed may hold text from outside (paths, reasons, a file's contents), which must not move the cursor, clear the
 * screen or forge a line (CWE-150): its control characters are spelled out.
 */

type Record = { readonly type: string } & { readonly [key: string]: unknown };

const verdicts = {
  pass: { word: 'PASS', colour: 'green' },
  fail: { word: 'FAIL', colour: 'red' },
  'in-doubt': { word: 'IN DOUBT', colour: 'yellow' },
} as const;

export interface Ui {
  /** One result: the record for machines, the lines for people. */
  result(record: Record, ...lines: readonly string[]): void;
  /** The result of a unit: a line that begins with the verdict, which is coloured on a terminal. */
  verdict(record: Record, verdict: keyof typeof verdicts, line: string): void;
  /** Words on the side. */
  say(...lines: readonly string[]): void;
  /** A line that the next one replaces on a terminal. */
  progress(text: string): void;
  /** Neither an error nor a result by itself: the two lines of an error that belongs to a result. */
  explain(error: LinesideError): void;
  error(error: LinesideError): void;
}

export function makeUi(json: boolean, out: NodeJS.WriteStream, err: NodeJS.WriteStream): Ui {
  let moving = false;
  const clear = () => {
    if (moving) err.write('\r\x1b[K');
    moving = false;
  };
  const words = (line: string) => {
    clear();
    err.write(`${line}\n`);
  };
  const record = (value: Record) => out.write(`${printableJson(value)}\n`);
  const explain = ({ message, action }: LinesideError) => {
    words(`${mark(err, 'red', 'lineside:')} ${printable(message)}`);
    words(`${mark(err, 'bold', 'hint:')} ${printable(action)}`);
  };
  return {
    explain,
    say: (...lines) => lines.forEach((line) => words(printable(line))),
    result: (value, ...lines) => {
      clear();
      if (json) record(value);
      else lines.forEach((line) => out.write(`${printable(line)}\n`));
    },
    verdict: (value, verdict, line) => {
      clear();
      const { word, colour } = verdicts[verdict];
      if (json) record(value);
      else out.write(`${mark(out, colour, word.padEnd(8))}  ${printable(line)}\n`);
    },
    progress: (text) => {
      if (!err.isTTY) return words(printable(text));
      err.write(`\r\x1b[K${printable(text)}`);
      moving = true;
    },
    error: (error) => {
      const { code, message, action, exit } = error;
      if (json) record({ type: 'error', code, message, action, exit });
      explain(error);
    },
  };
}

/** Styled if the stream is a terminal that wants it (NO_COLOR, TERM and the like are looked at by Node). */
function mark(stream: NodeJS.WriteStream, style: 'red' | 'green' | 'yellow' | 'bold', text: string): string {
  return stream.isTTY && stream.hasColors() ? styleText(style, text, { validateStream: false }) : text;
}
