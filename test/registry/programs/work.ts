import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { parseLease } from '../../../src/device.ts';
import { LinesideError } from '../../../src/errors.ts';
import { context } from '../../support/log-context.ts';
import { logWriter } from '../../../src/log/writer.ts';
import type { Registry, Step } from '../../../src/registry/registry.ts';
import { openRegistry } from '../../../src/registry/sqlite.ts';

/** Makes 12 units and says each change on stdout, when it is committed (`after`) or, wrongly, `before` that. */
const [path = '', when = 'after'] = process.argv.slice(2);
const leaf = logWriter(context);

function say(record: object): void {
  writeSync(1, `${JSON.stringify(record)}\n`);
}

async function acknowledge(record: object, change: () => Promise<void>): Promise<void> {
  if (when === 'before') say(record);
  await change();
  if (when === 'after') say(record);
}

function life(unit: number): Step[] {
  const spkiSha256 = createHash('sha256').update(`key ${unit}`).digest('hex');
  return [
    { to: 'keyed', csr: new Uint8Array(230).fill(unit), spkiSha256 },
    { to: 'flashing', uid: String(unit).padStart(16, '0'), probe: 'a', firmwareSha256: null },
    { to: 'flashed' },
    { to: 'verified', proof: 'read-back', locked: false },
  ];
}

async function work(registry: Registry): Promise<void> {
  const { first } = parseLease('00000001-0000000C');
  for (let unit = 1; unit <= 12; unit++) {
    const id = first.slice(0, 7) + unit.toString(16).toUpperCase();
    await acknowledge({ id, state: 'reserved' }, () => registry.reserve(id as typeof first));
    for (const step of life(unit))
      await acknowledge({ id, state: step.to }, () => registry.advance(id as typeof first, step));
  }
}

const registry = await openRegistry(path, leaf, () => new Date());
for (const attempt of ['first', 'again']) {
  await work(registry).catch((error: unknown) => {
    if (!(error instanceof LinesideError)) throw error;
    say({ attempt, error: error.code });
  });
}
// No close, which would tidy up: what is on the disk now is what a power cut leaves.
process.kill(process.pid, 'SIGKILL');
