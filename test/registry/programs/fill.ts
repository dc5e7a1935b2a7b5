import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLease } from '../../../src/device.ts';
import { context } from '../../support/log-context.ts';
import { logWriter } from '../../../src/log/writer.ts';
import { createRegistry, openRegistry } from '../../../src/registry/sqlite.ts';
import { type Acknowledged, audit } from './audit.ts';

/** Reserves ids until the disk (a small one) is full, frees some space, and says what it then finds. */
const [directory = ''] = process.argv.slice(2);
const path = join(directory, 'registry.db');
const ballast = join(directory, 'ballast');
const leaf = logWriter(context);
const clock = () => new Date();

await writeFile(ballast, Buffer.alloc(128 * 1024));
const full = await createRegistry(path, leaf, clock);
await full.addLease(parseLease('00000001-0000FFFF'));
const acknowledged: Acknowledged[] = [];
const errors: unknown[] = [];
while (errors.length < 2) {
  await full.reserveNext().then(
    (id) => acknowledged.push({ id, state: 'reserved' }),
    (error: { code: string }) => errors.push(error.code),
  );
}
await rm(ballast);
await full.reserveNext().catch((error: { code: string }) => errors.push(error.code));
await full.close();

const registry = await openRegistry(path, leaf, clock);
const faults = await audit(registry, acknowledged);
const [lease] = await registry.leases();
console.log(JSON.stringify({ errors, faults, acknowledged: acknowledged.length, used: lease?.used }));
await registry.close();
