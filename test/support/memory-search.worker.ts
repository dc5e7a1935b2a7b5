import { parentPort } from 'node:worker_threads';
import { keyForms } from './key-forms.ts';
import { KeyScanner } from './key-scanner.ts';
import { heldKeys, searchMemory } from './memory-image.ts';
import type { Ask } from './memory-search.ts';

const port = parentPort;
port?.on('message', ({ number, pid, secrets }: Ask) => {
  try {
    port.postMessage({ number, answer: answer(pid, secrets) });
  } catch (error) {
    port.postMessage({ number, failure: String(error) });
  }
});

function answer(pid: number, secrets: Ask['secrets']) {
  if (secrets === null) return heldKeys(pid);
  const scanner = new KeyScanner();
  for (const [owner, secret] of Object.entries(secrets)) scanner.add(owner, keyForms(secret));
  return searchMemory(pid, scanner);
}
