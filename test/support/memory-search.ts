import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import type { Search } from './memory-image.ts';

/** Secrets of 32 bytes by the name they are reported under; null asks for the keys the process holds. */
export interface Ask {
  readonly number: number;
  readonly pid: number;
  readonly secrets: Readonly<Record<string, Uint8Array>> | null;
}

/**
 * Searches in a thread of their own: they take long, and simulated boards in this one have to answer OpenOCD, which
 * gives an erase 340 ms.
 */
const worker = new Worker(bundle(new URL('memory-search.worker.ts', import.meta.url)), { eval: true });
worker.unref();
worker.setMaxListeners(0);
let asked = 0;

/** Looks for these secrets, in every form, in all the memory of a process. */
export async function searchMemory(pid: number, secrets: NonNullable<Ask['secrets']>): Promise<Search> {
  return (await ask(pid, secrets)) as Search;
}

/** The private keys that the process holds as PKCS#8, whoever they belong to. */
export async function heldKeys(pid: number): Promise<Buffer[]> {
  return ((await ask(pid, null)) as Uint8Array[]).map((key) => Buffer.from(key));
}

function ask(pid: number, secrets: Ask['secrets']): Promise<unknown> {
  const number = (asked += 1);
  return new Promise((resolve, reject) => {
    const take = (reply: { number: number; answer?: unknown; failure?: string }) => {
      if (reply.number !== number) return;
      worker.off('message', take).off('error', reject);
      if (reply.failure === undefined) resolve(reply.answer);
      else reject(new Error(reply.failure));
    };
    worker.on('message', take).on('error', reject);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage({ number, pid, secrets } satisfies Ask);
  });
}

function bundle(source: URL): string {
  const entryPoints = [fileURLToPath(source)];
  const built = buildSync({ entryPoints, bundle: true, write: false, platform: 'node', format: 'cjs' });
  return built.outputFiles[0]?.text ?? '';
}
