import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviceIdFromNumber, parseLease } from '../src/device.ts';
import { History } from '../src/log/history/history.ts';
import { verifyLog } from '../src/log/verify.ts';
import { logWriter } from '../src/log/writer.ts';
import type { Registry } from '../src/registry/registry.ts';
import { createRegistry, openRegistry } from '../src/registry/sqlite.ts';
import { rowFindings } from '../src/row-findings.ts';
import { RegistrySource } from '../src/station-log-source.ts';
import { rootAt } from '../src/station-log.ts';
import { sha, verifiedUnit } from './support/worked-station.ts';

/** What people, PCs and clocks do to an honest station. */
const acts = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('make') }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('reserve'), id: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('void'),
      reason: fc.constantFrom('böse', '"x" \\ y', '=cmd()', '😀'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('batch') }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('seal') }) },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('clock'), ms: fc.integer({ min: -1e11, max: 1e11 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait'), ms: fc.nat({ max: 1e10 }) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('restart') }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('lease'), at: fc.integer({ min: 0x100, max: 0x110 }) }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('epoch') }) },
);
type Act = typeof acts extends fc.Arbitrary<infer T> ? T : never;

/** A PC whose clock anybody can set, and which counts the seconds since it was started. */
class Pc {
  wall = Date.UTC(2026, 10, 23, 9);
  seconds = 20;
  boots = 1;

  pass(ms: number): void {
    this.wall += ms;
    this.seconds += ms / 1000;
  }

  writer() {
    const id = `00000000-0000-4000-8000-${String(this.boots).padStart(12, '0')}`;
    return logWriter({ station: 'st07', sw: '0.1.0', boot: { id, seconds: () => this.seconds } });
  }

  now(): Date {
    this.pass(7);
    return new Date(this.wall);
  }
}

/** Whatever the registry refuses, it has not done. */
const attempt = (work: Promise<unknown>) => work.catch(() => undefined);

async function live(path: string, sequence: readonly Act[]): Promise<Registry> {
  const pc = new Pc();
  let registry = await createRegistry(path, pc.writer(), () => pc.now());
  let batch = 0;
  let epoch = 0;
  await registry.record({ ev: 'station.init', chip: 'nrf52840' });
  await registry.addLease(parseLease('00000001-00000020'));
  for (const act of sequence) {
    if ('reason' in act) {
      for await (const { id, state } of registry.units({}))
        if (state !== 'void') await attempt(registry.advance(id, { to: 'void', reason: act.reason }));
    } else if ('id' in act) await attempt(registry.reserve(deviceIdFromNumber(act.id)));
    else if ('at' in act) {
      const ends = [act.at, act.at + 4].map((end) => deviceIdFromNumber(end));
      await attempt(registry.addLease(parseLease(ends.join('-'))));
    } else if ('ms' in act) {
      if (act.act === 'wait') pc.pass(act.ms);
      else pc.wall += act.ms;
    } else if (act.act === 'make') await attempt(verifiedUnit(registry));
    else if (act.act === 'batch') batch += await takeOut(registry, batch + 1);
    else if (act.act === 'epoch') {
      const before = { before: epoch, size: 5, root: sha('root') };
      await registry.openEpoch({ epoch: (epoch += 1), ...before, reason: 'restored' });
      await registry.closeLeases();
    } else if (act.act === 'restart') {
      await registry.close();
      pc.boots += 1;
      pc.seconds = 20;
      registry = await openRegistry(path, pc.writer(), () => pc.now());
    } else await registry.seal();
  }
  return registry;
}

async function takeOut(registry: Registry, sequence: number): Promise<number> {
  const ids = [];
  for await (const { id } of registry.units({ states: ['verified'] })) ids.push(id);
  const [manifest, previous] = [
    Buffer.from(`out ${sequence}`),
    sequence === 1 ? '0'.repeat(64) : sha(`out ${sequence - 1}`),
  ];
  await registry.exportBatch(
    { sequence, manifest, sha256: sha(`out ${sequence}`), previous },
    ids,
    new Map(),
  );
  await registry.batchWritten(sequence);
  return 1;
}

test('a log that nobody tampered with is never accused, whatever people, PCs and clocks do', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-honest-'));
  let count = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { maxLength: 14 }), async (sequence) => {
        const registry = await live(join(directory, `${(count += 1)}.db`), sequence);
        try {
          const size = await registry.seal();
          const head = {
            size,
            root: await rootAt(registry, size),
            differs: 'root-differs',
            short: 'log-cut',
          } as const;
          const { findings, history } = await verifyLog(
            new RegistrySource(registry),
            [head],
            new History('st07'),
          );
          const evidence = [...findings, ...(await rowFindings(registry, history.units))].filter(
            ({ weight }) => weight === 'evidence',
          );
          expect(evidence).toEqual([]);
          expect(history.size).toBe(size);
        } finally {
          await registry.close();
        }
      }),
      { numRuns: 25 },
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('that the clock was set is told, to whoever wants to know', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-honest-'));
  const registry = await live(join(directory, 'registry.db'), [
    { act: 'make' },
    { act: 'clock', ms: -3_600_000 },
    { act: 'make' },
    { act: 'clock', ms: 7_200_000 },
    { act: 'make' },
  ]);
  const { findings } = await verifyLog(new RegistrySource(registry), [], new History('st07'));
  expect(findings.map(({ code, weight }) => [code, weight])).toEqual([
    ['clock-set', 'notice'],
    ['clock-set', 'notice'],
  ]);
  await registry.close();
  await rm(directory, { recursive: true });
});
