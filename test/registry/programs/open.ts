import type { LinesideError } from '../../../src/errors.ts';
import { logWriter } from '../../../src/log/writer.ts';
import { createRegistry, openRegistry } from '../../../src/registry/sqlite.ts';
import { context } from '../../support/log-context.ts';

/** Opens or creates a registry, says how that ended and in how many milliseconds, then holds it until stdin ends. */
const [path = '', how = 'open'] = process.argv.slice(2);
const start = performance.now();

function say(outcome: string, facts: object): void {
  console.log(JSON.stringify({ outcome, facts, ms: performance.now() - start }));
}

try {
  const open = how === 'create' ? createRegistry : openRegistry;
  const registry = await open(path, logWriter(context), () => new Date());
  say('opened', {});
  for await (const _ of process.stdin);
  await registry.close();
} catch (error) {
  const { code, facts } = error as LinesideError;
  say(code, facts);
}
