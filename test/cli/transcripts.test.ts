import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bench } from './bench.ts';

/*
 * Every *.txt here is a story played on the built program and simulated boards, and must come out as it is written:
 *
 *   # words to the reader
 *   % what hands do at the bench: see bench.ts
 *   $ what is typed, to a shell in an empty directory where $PORT0 is the port of board 0
 *   what it prints on stdout
 *   ! what it prints on stderr, after that
 *   [exit N], unless N is 0
 *
 * `vitest -u` writes what is printed now. What is another on every run has a name: <time>, <sha256>, <uid>.
 */

const stories = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.txt'));

test.for(stories)('%s', async (name) => {
  const path = join(import.meta.dirname, name);
  await expect(await play(readFileSync(path, 'utf8'))).toMatchFileSnapshot(path);
});

async function play(story: string): Promise<string> {
  const { type, act } = await bench();
  const played: string[] = [];
  let printing = false;
  for (const line of story.trimEnd().split('\n')) {
    const command = /^\$ (.*)/.exec(line)?.[1];
    const action = /^% (.*)/.exec(line)?.[1];
    if (command === undefined && action === undefined && !line.startsWith('#') && printing) continue;
    played.push(line);
    if (action !== undefined) await act(action);
    if (command !== undefined) played.push(...(await type(command)), '');
    printing = command !== undefined;
  }
  return `${played.join('\n').trimEnd()}\n`;
}
