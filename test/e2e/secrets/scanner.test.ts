import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { keyForms } from '../../support/key-forms.ts';
import { KeyScanner } from '../../support/key-scanner.ts';
import { searchMemory } from '../../support/memory-search.ts';

/* The probe that finds nothing elsewhere finds everything here. */

const key = randomBytes(32);
const scanner = new KeyScanner().add('key', keyForms(key));

/** A process that holds these bytes, and was given them in no other way. */
async function holder(bytes: Buffer): Promise<number> {
  const code = "let held; process.stdin.once('data', (bytes) => { held = bytes; console.log('held'); });";
  const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  child.stdin.write(bytes);
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

test('a key that another process holds is found there in each of its forms', async () => {
  const forms = keyForms(key);
  const pid = await holder(Buffer.concat(forms.map(({ bytes }) => Buffer.concat([bytes, Buffer.alloc(3)]))));
  const found = (await searchMemory(pid, { key })).found.map((label) => label.replace(/ in .*/, ''));
  expect([...new Set(found)].sort()).toEqual(forms.map(({ name }) => `key: ${name}`).sort());
});

test('eight bytes of a key are enough to be found, wherever they begin', async () => {
  const fragments = [...Array(25).keys()].map((from) => key.subarray(from, from + 8));
  for (const [index, fragment] of fragments.entries()) {
    for (const before of [0, 1, 2, 3]) {
      const bytes = Buffer.concat([randomBytes(before), fragment, randomBytes(9)]);
      expect([...scanner.search(bytes)], `${index}`).toEqual(['key: raw']);
    }
  }
  const pid = await holder(fragments[11] ?? Buffer.alloc(0));
  expect((await searchMemory(pid, { key })).found).toContainEqual(expect.stringMatching(/^key: raw in /));
});

test('a process that never had the key is found to be clean', async () => {
  const pid = await holder(randomBytes(32));
  const { found, scannedBytes } = await searchMemory(pid, { key });
  expect(found).toEqual([]);
  expect(scannedBytes).toBeGreaterThan(32 * 1024 * 1024);
});
