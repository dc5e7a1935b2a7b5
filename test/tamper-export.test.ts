import { cpSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportLog } from '../src/export-log.ts';
import { keepHead } from '../src/kept-head.ts';
import type { FindingCode } from '../src/log/finding.ts';
import { verifyExport } from '../src/verify-log.ts';
import { makeSigner, type Signer } from '../src/note.ts';
import {
  canonical,
  type Entry,
  keyOf,
  parse,
  readEntries,
  rechained,
  signedHead,
  writeEntries,
  writeLog,
  writeTiles,
} from './support/forge.ts';
import { treeHash } from './support/rfc6962.ts';
import { sha, using, verifiedUnit, workedStation } from './support/worked-station.ts';

/*
 * QA has the verifier key of the station and a log on a stick, of 300 entries in two bundles. Each row of the tables
 * below is one way to tamper with it, done at its beginning, in the middle and at its end; each must be found, under its
 * right name. And nothing must be found where nothing was done.
 */

const places = ['first', 'middle', 'last'] as const;
type Place = (typeof places)[number];

let workshop: string;
let station: string;
let key: Signer;
let leaves: Buffer[];
let count = 0;

beforeAll(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'lineside-tamper-'));
  station = join(workshop, 'st07');
  await workedStation(station, 300);
  await using(station, (open) => exportLog(station, open, original(), 'without-proofs'));
  key = keyOf(station);
  leaves = readEntries(original());
});
afterAll(() => rm(workshop, { recursive: true }));

const original = () => join(workshop, 'export');

/** A copy of the export to tamper with. */
function copy(): string {
  const directory = join(workshop, `copy-${(count += 1)}`);
  cpSync(original(), directory, { recursive: true });
  return directory;
}

/** What is found, gravest first: code, and the entry it is at. */
async function found(directory: string, since?: string): Promise<(readonly [FindingCode, unknown])[]> {
  const { findings } = await verifyExport(directory, key.verifier, since);
  return findings.map(({ code, facts }) => [code, facts['n']]);
}

function at<T>(items: readonly T[], place: Place): T {
  const index = { first: 0, middle: Math.floor(items.length / 2), last: items.length - 1 }[place];
  const item = items[index];
  if (item === undefined) throw new Error('there is nothing to tamper with');
  return item;
}

const indexAt = (place: Place) => at([...leaves.keys()], place);
/** Where the log has an event of this kind. */
const indexOf = (ev: string, place: Place) =>
  at(
    [...leaves.keys()].filter((n) => entry(n)['ev'] === ev),
    place,
  );
const entry = (n: number): Entry => parse(leaves[n] ?? Buffer.from('{}'));

function changed(n: number, change: (leaf: Buffer) => Buffer): Buffer[] {
  return leaves.map((leaf, index) => (index === n ? change(Buffer.from(leaf)) : leaf));
}

function flipped(leaf: Buffer): Buffer {
  leaf.writeUInt8(leaf.readUInt8(leaf.length - 20) ^ 0x01, leaf.length - 20);
  return leaf;
}

describe('an untouched log', () => {
  test('is not accused', async () => {
    expect(await found(original())).toEqual([]);
    expect(leaves.length).toBeGreaterThan(300);
  });

  test('is the same, file by file, when written by other hands from the words of the specifications', () => {
    const directory = copy();
    writeLog(directory, leaves);
    for (const file of [
      'tile/0/000',
      `tile/0/001.p/${leaves.length - 256}`,
      'tile/1/000.p/1',
      'tile/entries/000',
    ])
      expect(readFileSync(join(directory, file))).toEqual(readFileSync(join(original(), file)));
    expect(signedHead(leaves, key)).toBe(readFileSync(join(original(), 'checkpoint'), 'utf8'));
  });

  test('is not accused with files beside it that belong to no checkpoint', async () => {
    const directory = copy();
    writeFileSync(join(directory, 'notes.txt'), 'seen by QA');
    writeFileSync(join(directory, 'tile/0/002'), '');
    expect(await found(directory)).toEqual([]);
  });
});

describe('whoever cannot sign, and', () => {
  describe.each(places)('at the %s entry', (place) => {
    test('flips a bit, is found there', async () => {
      const directory = copy();
      writeEntries(directory, changed(indexAt(place), flipped));
      expect(await found(directory)).toEqual([['leaf-changed', indexAt(place)]]);
    });

    test('puts a space into the JSON, is found there', async () => {
      const directory = copy();
      writeEntries(
        directory,
        changed(indexAt(place), (leaf) => Buffer.from(leaf.toString().replace(':', ': '))),
      );
      expect(await found(directory)).toEqual([['leaf-changed', indexAt(place)]]);
    });

    test('takes it out and puts the next ones in its place, is found there', async () => {
      const directory = copy();
      const n = indexAt(place);
      const rest = leaves.filter((_, index) => index !== n);
      writeEntries(directory, [...rest, leaves.at(-1) ?? Buffer.alloc(0)]);
      // The last one is only doubled then, and nothing differs.
      expect(await found(directory)).toEqual(place === 'last' ? [] : [['leaf-missing', n]]);
    });

    test('takes it out, is found by the bundle that lacks one', async () => {
      const directory = copy();
      const n = indexAt(place);
      writeEntries(
        directory,
        leaves.filter((_, index) => index !== n),
      );
      cpSync(
        join(directory, `tile/entries/001.p/${leaves.length - 257}`),
        join(directory, `tile/entries/001.p/${leaves.length - 256}`),
      );
      const codes = (await found(directory)).map(([code]) => code);
      expect(codes).toEqual(place === 'last' ? ['bundle-form'] : ['leaf-missing', 'bundle-form']);
    });

    test('puts it in once more and drops the last, is found there', async () => {
      const directory = copy();
      const n = Math.min(indexAt(place), leaves.length - 2);
      writeEntries(directory, [...leaves.slice(0, n + 1), ...leaves.slice(n, -1)]);
      expect(await found(directory)).toEqual([['leaf-again', n + 1]]);
    });

    test('exchanges it with its neighbour, is found there', async () => {
      const directory = copy();
      const n = Math.min(indexAt(place), leaves.length - 2);
      const [one, other] = leaves.slice(n, n + 2);
      writeEntries(directory, [
        ...leaves.slice(0, n),
        other ?? leaf0(),
        one ?? leaf0(),
        ...leaves.slice(n + 2),
      ]);
      expect(await found(directory)).toEqual([['leaf-missing', n]]);
    });

    test('changes its hash in the tile, is found there', async () => {
      const directory = copy();
      writeTiles(directory, changed(indexAt(place), flipped));
      const { findings } = await verifyExport(directory, key.verifier);
      const tile = indexAt(place) < 256 ? 'tile/0/000' : `tile/0/001.p/${leaves.length - 256}`;
      expect(findings).toMatchObject([
        { code: 'node-changed', what: expect.stringContaining(`${tile}, hash ${indexAt(place) % 256},`) },
      ]);
    });

    test('changes it and its hash, is found by the root that was signed', async () => {
      const directory = copy();
      writeLog(directory, changed(indexAt(place), flipped));
      expect((await found(directory))[0]).toEqual(['root-differs', undefined]);
    });

    test('changes it and writes all after it anew, is found by the root that was signed', async () => {
      const directory = copy();
      const forged = changed(indexAt(place), (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' }));
      writeLog(directory, rechained(forged));
      expect(await found(directory)).toEqual([
        ['root-differs', undefined],
        // A seal says what the rows are, and they are still the same.
      ]);
    });

    test('changes it, writes all anew and signs with another key, is found by the key', async () => {
      const directory = copy();
      const forged = rechained(changed(indexAt(place), (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' })));
      writeLog(directory, forged);
      writeFileSync(join(directory, 'checkpoint'), signedHead(forged, makeSigner('st07')));
      expect(await found(directory)).toEqual([['checkpoint-signer', undefined]]);
    });
  });

  const files: readonly [string, (directory: string) => string][] = [
    ['a full bundle', () => 'tile/entries/000'],
    ['a partial bundle', () => `tile/entries/001.p/${leaves.length - 256}`],
    ['a full tile', () => 'tile/0/000'],
    ['a partial tile', () => `tile/0/001.p/${leaves.length - 256}`],
    ['a tile above', () => 'tile/1/000.p/1'],
  ];
  test.each(files)('cuts %s short or makes it longer, is found by its form', async (_, name) => {
    for (const harm of ['cut', 'longer'] as const) {
      const directory = copy();
      const path = join(directory, name(directory));
      const bytes = readFileSync(path);
      if (harm === 'cut') truncateSync(path, bytes.length - 1);
      else writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(40)]));
      const [first] = await found(directory);
      expect(first?.[0]).toBe(path.includes('entries') ? 'bundle-form' : 'node-changed');
    }
  });

  test.each(files)(
    'deletes %s, or puts a link in its place, keeps it from being verified',
    async (_, name) => {
      for (const harm of ['delete', 'link'] as const) {
        const directory = copy();
        const path = join(directory, name(directory));
        rmSync(path);
        if (harm === 'link') symlinkSync(join(original(), name(original())), path);
        await expect(found(directory)).rejects.toMatchObject({ code: 'log-unreadable', exit: 6 });
      }
    },
  );

  test('cuts entries and tiles to a smaller size, is found by the size that was signed', async () => {
    for (const size of [1, 256, leaves.length - 1]) {
      const directory = copy();
      writeLog(directory, leaves.slice(0, size));
      await expect(found(directory)).rejects.toMatchObject({ code: 'log-unreadable' });
      const text = readFileSync(join(directory, 'checkpoint'), 'utf8');
      writeFileSync(join(directory, 'checkpoint'), text.replace(`\n${leaves.length}\n`, `\n${size}\n`));
      expect(await found(directory)).toEqual([['checkpoint-signature', undefined]]);
    }
  });

  test.each([
    [
      'another root',
      (text: string) => text.replace(/^.{44}$/m, treeHash(leaves.slice(1)).toString('base64')),
      'checkpoint-signature',
    ],
    ['another epoch', (text: string) => text.replace('st07/1\n', 'st07/2\n'), 'checkpoint-signer'],
    ['no signature', (text: string) => text.replace(/— .*\n/, ''), 'checkpoint-form'],
    ['another form', (text: string) => text.replace('\n3', '\n03'), 'checkpoint-signature'],
    ['nothing in it', () => '', 'checkpoint-form'],
    ['a signature of somebody else alone', () => signedHead(leaves, makeSigner('qa')), 'checkpoint-signer'],
  ] as const)('gives the checkpoint %s, is found', async (_, harm, code) => {
    const directory = copy();
    const path = join(directory, 'checkpoint');
    writeFileSync(path, harm(readFileSync(path, 'utf8')));
    expect(await found(directory)).toEqual([[code, undefined]]);
  });
});

const leaf0 = () => leaves[0] ?? Buffer.alloc(0);

describe('whoever has the key of the station, and', () => {
  /** All that can be made to look right is: numbers, chain, tree, tiles and signature. */
  async function signed(forged: readonly Buffer[], form: 'chained' | 'as-it-is' = 'chained') {
    const directory = copy();
    const written = form === 'chained' ? rechained(forged) : forged;
    writeLog(directory, written);
    writeFileSync(join(directory, 'checkpoint'), signedHead(written, key));
    return found(directory);
  }
  const replaced = (n: number, change: Entry) => changed(n, () => canonical({ ...entry(n), ...change }));
  const inserted = (n: number, event: Entry) => [
    ...leaves.slice(0, n),
    canonical({ ...entry(n - 1), ...blankEvent(n - 1), ...event }),
    ...leaves.slice(n),
  ];
  /** The keys of the entry that are its own, taken away. */
  const blankEvent = (n: number): Entry => {
    const writer = ['n', 't', 'v', 'm', 'p', 'station', 'sw'];
    return Object.fromEntries(
      Object.keys(entry(n))
        .filter((name) => !writer.includes(name))
        .map((name) => [name, undefined as never]),
    );
  };

  describe.each(places)('at the %s', (place) => {
    const rows: readonly [string, string, (n: number) => readonly Buffer[], FindingCode, number][] = [
      [
        'writes about a device of another station',
        'unit.flashed',
        (n) => replaced(n, { id: 'ABCD1234' }),
        'unit-unknown',
        0,
      ],
      [
        'gives an id a second time',
        'unit.reserved',
        (n) => inserted(n + 1, { ev: 'unit.reserved', id: entry(n)['id'] ?? null, to: 'reserved' }),
        'id-twice',
        1,
      ],
      [
        'gives an id outside the lease',
        'unit.reserved',
        (n) => replaced(n, { id: 'ABCD1234' }),
        'id-outside-lease',
        0,
      ],
      [
        'leaves a step out',
        'unit.flashed',
        (n) => leaves.filter((_, index) => index !== n),
        'step-illegal',
        0,
      ],
      [
        'repeats a step',
        'unit.keyed',
        (n) => [...leaves.slice(0, n + 1), ...leaves.slice(n)],
        'step-illegal',
        1,
      ],
      [
        'makes a void device pass',
        'unit.void',
        (n) =>
          inserted(n + 1, {
            ev: 'unit.verified',
            id: entry(n)['id'] ?? null,
            from: 'flashed',
            to: 'verified',
            proof: 'read-back',
            locked: true,
          }),
        'step-illegal',
        1,
      ],
      [
        'hides that a device failed',
        'unit.void',
        (n) => leaves.filter((_, index) => index !== n),
        'seal-differs',
        Number.NaN,
      ],
      [
        'uses a key twice',
        'unit.keyed',
        (n) => replaced(n, { spki: spkiOfAnother(n) }),
        'key-twice',
        Number.NaN,
      ],
      [
        'uses a chip twice',
        'unit.flashing',
        (n) => replaced(n, { uid: chipOfAnother(n) }),
        'chip-twice',
        Number.NaN,
      ],
      [
        'exchanges a certificate request',
        'unit.keyed',
        (n) => replaced(n, { csr: sha('another') }),
        'seal-differs',
        Number.NaN,
      ],
      [
        'exchanges a certificate',
        'unit.certified',
        (n) => replaced(n, { cert: sha('another') }),
        'seal-differs',
        Number.NaN,
      ],
      [
        'changes the reason of a failure',
        'unit.void',
        (n) => replaced(n, { reason: 'nothing' }),
        'seal-differs',
        Number.NaN,
      ],
      ['skips a batch', 'export.batch', (n) => replaced(n, { batch: 77 }), 'batch-order', 0],
      [
        'takes a batch in twice',
        'import.batch',
        (n) => [...leaves.slice(0, n + 1), ...leaves.slice(n)],
        'batch-order',
        1,
      ],
      [
        'puts a device into another batch',
        'unit.exported',
        (n) => replaced(n, { batch: 77 }),
        'batch-order',
        0,
      ],
      ['counts wrongly in a seal', 'seal', (n) => replaced(n, { void: 1000 }), 'seal-differs', 0],
      ['seals other rows', 'seal', (n) => replaced(n, { digest: sha('rows') }), 'seal-differs', 0],
      ['seals another next id', 'seal', (n) => replaced(n, { next: null }), 'seal-differs', 0],
      [
        'sets the clock back',
        'unit.keyed',
        (n) => replaced(n, { t: '2020-01-01T00:00:00.000Z' }),
        'clock-back',
        0,
      ],
      ['makes time pass that did not', 'unit.keyed', (n) => later(n), 'clock-apart', 0],
      [
        'says that the clock was set, and from when it was not',
        'unit.keyed',
        (n) => inserted(n, { ev: 'clock.set', was: '2020-01-01T00:00:00.000Z' }),
        'clock-false',
        0,
      ],
      [
        'turns the boot clock back',
        'unit.keyed',
        (n) => replaced(n, { m: String(entry(n)['m']).replace(/:.*/, ':0.01') }),
        'boot-back',
        0,
      ],
      [
        'brings back a start of the PC',
        'unit.keyed',
        (n) => replaced(n, { m: '00000000-0000-4000-8000-000000000000:1.00' }),
        'boot-again',
        1,
      ],
      [
        'mixes in another station',
        'unit.keyed',
        (n) => replaced(n, { station: 'st08' }),
        'station-differs',
        0,
      ],
      [
        'begins anew',
        'unit.keyed',
        (n) => inserted(n, { ev: 'station.init', chip: 'nrf52840' }),
        'first-entry',
        0,
      ],
      [
        'accepts a lease that overlaps',
        'unit.keyed',
        (n) => inserted(n, { ev: 'lease.accept', lease: '0000FFFF-0001FFFF' }),
        'lease-overlaps',
        0,
      ],
      [
        'closes a lease that is not there',
        'unit.keyed',
        (n) => inserted(n, { ev: 'lease.close', lease: '00000001-00000002' }),
        'lease-unknown',
        0,
      ],
      [
        'opens an epoch that is not next',
        'unit.keyed',
        (n) =>
          inserted(n, { ev: 'epoch.open', epoch: 1, before: 0, size: 0, root: sha(''), reason: 'again' }),
        'epoch-order',
        0,
      ],
      [
        'goes back to an older certificate',
        'unit.installed',
        (n) => installedAgain(n),
        'generation-order',
        2,
      ],
    ];
    test.each(rows)('%s, is found', async (_, ev, harm, code, offset) => {
      const n = indexOf(ev, place);
      const all = await signed(harm(n));
      if (Number.isNaN(offset)) expect(all.map(([each]) => each)).toContain(code);
      else expect(all[0]).toEqual([code, n + offset]);
    });

    test('writes what lineside does not write, is found', async () => {
      const n = indexAt(place);
      const forms: ((leaf: Buffer) => string)[] = [
        (leaf) => leaf.toString().replace(':', ': '),
        (leaf) => leaf.toString().replace('"v":2', '"v":2.0'),
        (leaf) => leaf.toString().replace('"v":2', '"v":3'),
        (leaf) => leaf.toString().replace('"station":', '"secret":"x","station":'),
        (leaf) => leaf.toString().replace('"v":2', '"v":2,"v":2'),
        (leaf) => leaf.toString().replace(/"sw":"[^"]*",/, ''),
        (leaf) => leaf.toString().replace('"station":"st07"', '"station":"st\\u0030\\u0037"'),
        () => 'no JSON',
        () => '',
      ];
      for (const form of forms) {
        const forged = changed(n, (leaf) => Buffer.from(form(leaf)));
        expect(await signed(forged, 'as-it-is')).toContainEqual(['leaf-form', n]);
      }
      const broken = changed(n, (leaf) =>
        Buffer.concat([leaf.subarray(0, 8), Buffer.of(0xff), leaf.subarray(9)]),
      );
      expect(await signed(broken, 'as-it-is')).toContainEqual(['leaf-form', n]);
    });

    test('numbers an entry wrongly, is found', async () => {
      const n = indexAt(place);
      expect(await signed(replaced(n, { n: n + 1 }), 'as-it-is')).toContainEqual(['leaf-missing', n]);
      if (n > 0)
        expect(await signed(replaced(n, { n: n - 1 }), 'as-it-is')).toContainEqual(['leaf-again', n]);
    });

    test('chains an entry to another than the one before, is found', async () => {
      const n = indexAt(place);
      expect(await signed(replaced(n, { p: sha('another') }), 'as-it-is')).toContainEqual([
        'chain-broken',
        n,
      ]);
    });

    test('writes the past anew, is found by the checkpoint that QA has kept', async () => {
      const kept = await keptHead();
      const directory = copy();
      const n = place === 'first' ? 0 : Math.floor(kept.size * (place === 'last' ? 0.99 : 0.5));
      const forged = rechained(changed(n, (leaf) => canonical({ ...parse(leaf), sw: '0.1.1' })));
      writeLog(directory, forged);
      writeFileSync(join(directory, 'checkpoint'), signedHead(forged, key));
      expect(await found(directory)).toEqual([]); // without it
      expect(await found(directory, kept.path)).toEqual([['forked', undefined]]);
    });
  });

  test('cuts the log and signs what is left, is found by the checkpoint that QA has kept', async () => {
    const kept = await keptHead();
    const seals = [...leaves.keys()].filter((n) => entry(n)['ev'] === 'seal' && n + 1 < kept.size);
    for (const place of places) {
      const directory = copy();
      const cut = leaves.slice(0, at(seals, place) + 1);
      writeLog(directory, cut);
      writeFileSync(join(directory, 'checkpoint'), signedHead(cut, key));
      expect(await found(directory)).toEqual([]); // without it
      expect((await found(directory, kept.path))[0]?.[0]).toBe('rolled-back');
    }
  });

  test('signs as another epoch than the entries are of, is found', async () => {
    const directory = copy();
    writeFileSync(join(directory, 'checkpoint'), signedHead(leaves, key, 'lineside/st07/2'));
    expect(await found(directory)).toEqual([['epoch-differs', undefined]]);
  });
});

const spkiOfAnother = (n: number) => {
  const other = indexOf('unit.keyed', n === indexOf('unit.keyed', 'first') ? 'last' : 'first');
  return entry(other)['spki'] ?? null;
};
/** Of a device that is not void. */
const chipOfAnother = (n: number) => {
  const installed = indexOf('unit.installed', n < indexOf('unit.flashing', 'middle') ? 'last' : 'first');
  const id = entry(installed)['id'];
  return (
    leaves.map((leaf) => parse(leaf)).find((leaf) => leaf['ev'] === 'unit.flashing' && leaf['id'] === id)?.[
      'uid'
    ] ?? null
  );
};
/** All from here on an hour later, and the boot clock as it was. */
const later = (n: number) =>
  leaves.map((leaf, index) => {
    if (index < n) return leaf;
    const told = parse(leaf);
    return canonical({ ...told, t: new Date(Date.parse(String(told['t'])) + 3_600_000).toISOString() });
  });
const installedAgain = (n: number) => {
  const step = (generation: number) => canonical({ ...entry(n), from: 'installed', generation });
  return [...leaves.slice(0, n + 1), step(9), step(1), ...leaves.slice(n + 1)];
};

/** A checkpoint that QA kept earlier, without or with what it knew then. */
async function keptHead(): Promise<{ path: string; size: number }> {
  const seals = [...leaves.keys()].filter((n) => entry(n)['ev'] === 'seal');
  const size = at(seals, 'middle') + 1;
  const path = join(workshop, `head-${(count += 1)}`);
  writeFileSync(path, signedHead(leaves.slice(0, size), key));
  return { path, size };
}

describe('since a checkpoint that was kept', () => {
  /** The log of a station that worked on after QA had been there, with what QA kept. */
  async function grown(): Promise<{ head: string; now: string; size: number }> {
    const head = join(workshop, `kept-${(count += 1)}`);
    const before = await verifyExport(original(), key.verifier);
    if (before.origin === null) throw new Error('the log has no checkpoint');
    await keepHead(head, before.head.note.toString(), before.root, before.history);
    const now = join(workshop, `grown-${count}`);
    await using(station, async (open) => {
      await verifiedUnit(open.registry);
      await exportLog(station, open, now, 'without-proofs');
    });
    return { head, now, size: before.size };
  }

  test('only what is new is read, and what is known of before is enough to judge it', async () => {
    const { head, now, size } = await grown();
    const outcome = await verifyExport(now, key.verifier, head);
    expect(outcome).toMatchObject({ findings: [], known: size });
    const first = join(now, 'tile/entries/000');
    if (size >= 256) rmSync(first); // it was not read
    expect(await found(now, head)).toEqual([]);
    expect(outcome.origin !== null && outcome.root).toEqual(treeHash(readEntriesOf(now)));
  });

  test('without what was known all is read, with the same result', async () => {
    const { head, now } = await grown();
    rmSync(`${head}.units`);
    expect(await verifyExport(now, key.verifier, head)).toMatchObject({ findings: [], known: 0 });
    writeFileSync(`${head}.units`, 'spoilt');
    expect(await verifyExport(now, key.verifier, head)).toMatchObject({ findings: [], known: 0 });
  });

  test('what was known is not believed with a letter of it changed', async () => {
    const { head, now } = await grown();
    const known = readFileSync(`${head}.units`, 'utf8');
    writeFileSync(`${head}.units`, known.replace('"locked":true', '"locked":null'));
    expect(await verifyExport(now, key.verifier, head)).toMatchObject({ findings: [], known: 0 });
    writeFileSync(`${head}.units`, known);
    expect(await verifyExport(now, key.verifier, head)).not.toMatchObject({ known: 0 }); // control
  });

  test('the seal at the end is compared with all devices, though few entries are new', async () => {
    const { head, now } = await grown();
    const all = readEntriesOf(now);
    const n = all.length - 1;
    const forged = all.map((leaf, index) =>
      index === n ? canonical({ ...parse(leaf), digest: sha('rows') }) : leaf,
    );
    writeLog(now, forged);
    writeFileSync(join(now, 'checkpoint'), signedHead(forged, key));
    expect(await found(now)).toEqual([['seal-differs', n]]);
    expect(await found(now, head)).toEqual([['seal-differs', n]]);
  });

  test('what is new and wrong is found, though it takes what was known to see it', async () => {
    const { head, now } = await grown();
    const all = readEntriesOf(now);
    const id = entry(indexOf('unit.reserved', 'first'))['id'] ?? null;
    const n = all.findLastIndex((leaf) => parse(leaf)['ev'] === 'unit.reserved');
    const forged = rechained(
      all.map((leaf, index) => (index === n ? canonical({ ...parse(leaf), id }) : leaf)),
    );
    writeLog(now, forged);
    writeFileSync(join(now, 'checkpoint'), signedHead(forged, key));
    expect((await found(now, head))[0]).toEqual(['id-twice', n]);
  });

  test('another past is found, though it is not read', async () => {
    const { head, now } = await grown();
    const forged = rechained(
      readEntriesOf(now).map((leaf, n) => (n === 7 ? canonical({ ...parse(leaf), sw: '9' }) : leaf)),
    );
    writeLog(now, forged);
    writeFileSync(join(now, 'checkpoint'), signedHead(forged, key));
    expect(await found(now, head)).toEqual([['forked', undefined]]);
  });

  test('the older log itself is found to be rolled back', async () => {
    const { head, now } = await grown();
    const later = await verifyExport(now, key.verifier, head);
    if (later.origin === null) throw new Error('the log has no checkpoint');
    await keepHead(head, later.head.note.toString(), later.root, later.history);
    expect(await found(original(), head)).toEqual([['rolled-back', undefined]]);
  });

  test('a checkpoint of another station, or what is none, proves nothing', async () => {
    const path = join(workshop, `other-${(count += 1)}`);
    for (const other of [
      signedHead(leaves, makeSigner('st07')),
      signedHead(leaves, key, 'lineside/st08/1'),
      'none',
    ]) {
      writeFileSync(path, other);
      await expect(found(original(), path)).rejects.toMatchObject({ code: 'log-unreadable', exit: 6 });
    }
    await expect(found(original(), join(workshop, 'nowhere'))).rejects.toMatchObject({
      code: 'log-unreadable',
    });
  });
});

/** As `readEntries`; bundles that were deleted are those of the original. */
function readEntriesOf(directory: string): Buffer[] {
  const first = join(directory, 'tile/entries/000');
  if (!existsSync(first)) cpSync(join(original(), 'tile/entries/000'), first);
  return readEntries(directory);
}

describe('a log that cannot be verified is not called tampered with', () => {
  test.each([
    ['there is no directory', () => join(workshop, 'nowhere')],
    ['it is a file', () => join(station, 'station.json')],
  ])('when %s', async (_, directory) => {
    await expect(found(directory())).rejects.toMatchObject({ code: 'log-unreadable', exit: 6 });
  });

  test('when it is of another station than the key', async () => {
    const directory = copy();
    writeFileSync(join(directory, 'checkpoint'), signedHead(leaves, key, 'lineside/st08/1'));
    await expect(found(directory)).rejects.toMatchObject({ code: 'log-of-another', exit: 6 });
  });
});
