import type { Finding } from '../../src/audit/finding.ts';
import type { Audited, Report } from '../../src/report/report.ts';
import { learn, type Unit, type UnitLeaf } from '../../src/report/unit.ts';

/*
 * Reports that no log would give, for the forms to be tried on: a log refuses most of what is hostile, and a form must
 * not rely on that.
 */

const hash = 'ab'.repeat(32);

/** The leaves of a unit that is void for this reason. */
export function voidLeaves(n: number, reason: string, probe: string): UnitLeaf[] {
  const id = (0xabcd1000 + n).toString(16).toUpperCase();
  const at = (seconds: number) => ({
    t: new Date(Date.UTC(2026, 10, 25, 6) + n * 60_000 + seconds * 1000).toISOString(),
    m: `f6b1c2d3-0000-4000-8000-000000000001:${(n * 60 + seconds).toFixed(2)}`,
  });
  return [
    { n: 10 * n, ...at(0), ev: 'unit.reserved', id, to: 'reserved' },
    { n: 10 * n + 1, ...at(1), ev: 'unit.keyed', id, to: 'keyed', csr: hash, spki: hash },
    { n: 10 * n + 2, ...at(1), ev: 'unit.flashing', id, to: 'flashing', uid: '00112233', probe, fw: null },
    { n: 10 * n + 3, ...at(5), ev: 'unit.void', id, to: 'void', reason },
  ];
}

export function learned(leaves: readonly UnitLeaf[]): Unit {
  return leaves.reduce<Unit | undefined>(learn, undefined) as Unit;
}

/** A report of units that are void for these reasons, found on a probe of this name. */
export function reportOf(reasons: readonly string[], probe = 'a'): Report {
  const histories = reasons.map((reason, n) => voidLeaves(n, reason, probe));
  const units = histories.map(learned);
  const byId = new Map(units.map(({ id }, at) => [id, histories[at] ?? []]));
  return {
    station: 'st07',
    chip: 'nrf52840',
    madeAt: new Date('2026-11-25T18:00:00Z'),
    version: '0.1.0',
    period: { from: null, to: null },
    units,
    events: reasons.map((reason, n) => ({ n, t: '2026-11-25T05:00:00.000Z', ev: 'epoch.open', reason })),
    leases: [
      { first: 'ABCD1000', last: 'ABCD10FF', used: units.length, left: 256 - units.length, closed: false },
    ],
    log: { size: 1000, signed: null, witnessed: null },
    leavesOf: async ({ id }) => byId.get(id) ?? [],
    leaves: async function* () {
      for (const leaf of histories.flat()) yield { ...leaf };
    },
    serials: async () => new Map(),
  };
}

export function audited(...findings: readonly Finding[]): Audited {
  const checked = { entries: 1, units: 2, requests: 3, certificates: 4, leases: 5, batches: 6, files: 7 };
  return { checked, findings };
}

export async function textOf(pieces: Iterable<string> | AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

/** A finding that says this wherever it can. */
export function findingOf(words: string): Finding {
  return {
    code: 'file-unknown',
    severity: 'violation',
    subject: { kind: 'file', path: words },
    words,
    advice: words,
  };
}
