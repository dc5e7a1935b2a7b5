import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ErrorCode, errorTable } from '../../src/errors.ts';
import { lineside, records } from '../support/program.ts';

/**
 * Runs it as a person and as a script, and holds both answers against the error table: two lines on stderr, one
 * record on stdout for the script, the documented exit code. Returns what it said had failed.
 */
export async function refusal(
  code: ErrorCode,
  args: readonly string[],
  under: readonly string[] = [],
): Promise<string> {
  const { exit } = errorTable[code];
  const person = await lineside(args, under);
  expect(person).toMatchObject({ code: exit, stdout: '' });
  const [, message = '', action = ''] = /^lineside: (.+)\nhint: (.+)\n$/.exec(person.stderr) ?? [
    person.stderr,
  ];
  expect(message, person.stderr).not.toBe('');
  expect(`${message}${action}`).not.toMatch(/\?(?!\))|undefined|\[object/); // every placeholder was filled in

  const script = await lineside([...args, '--json'], under);
  expect(script).toMatchObject({ code: exit, stderr: person.stderr });
  expect(records(script.stdout)).toEqual([{ type: 'error', code, message, action, exit }]);
  return message;
}

/** Every file below a directory with the hash of what it holds: two that are equal show that nothing was written. */
export function contents(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(directory, name);
      if (!statSync(path).isFile()) return `${name}/`;
      return `${name} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    });
}
