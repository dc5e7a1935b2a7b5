import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readBatch } from '../../src/batch/read.ts';
import { fingerprint, makeSigner, readVerifier } from '../../src/note.ts';
import { answer, type OpensslCa, opensslCa } from '../support/openssl-ca.ts';
import { lineside, records, scratch } from '../support/program.ts';
import { addUnits, stationWithUnits } from '../support/verified-units.ts';

/*
 * A station and a CA with a stick between them. The station is the built program; the CA is openssl.
 */

let ca: OpensslCa;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-ca-'));
  ca = await opensslCa(directory);
  return () => rm(directory, { recursive: true });
});

interface Line {
  readonly workshop: string;
  readonly station: string;
  readonly run: (...args: string[]) => ReturnType<typeof lineside>;
}

async function line(units: number): Promise<Line> {
  const workshop = await scratch();
  const station = join(workshop, 'st07');
  await stationWithUnits(station, units);
  return { workshop, station, run: (...args) => lineside(['--json', '--station', station, ...args]) };
}

async function trusting(units: number): Promise<Line> {
  const made = await line(units);
  const vkey = join(made.workshop, 'ca.vkey');
  await writeFile(vkey, `${ca.signer.verifier.line}\n`);
  const trusted = await made.run('trust', vkey, '--fingerprint', fingerprint(ca.signer.verifier));
  if (trusted.code !== 0) throw new Error(trusted.stderr);
  return made;
}

interface Unit {
  readonly id: string;
  readonly state: string;
  readonly csr: string;
  readonly certificate: string | null;
  readonly batch: number | null;
}

async function units({ run }: Line): Promise<Unit[]> {
  return records((await run('registry', 'list')).stdout) as unknown as Unit[];
}

const bytesOf = async (directory: string) => {
  const names = (await readdir(directory)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]));
};

/** Signs every request of a batch as the CA does. */
async function signAll(directory: string): Promise<string> {
  const requests = await readFile(join(directory, 'requests.pem'), 'utf8');
  const each = requests.match(/-----BEGIN[^]*?-----END[^\n]*\n/g) ?? [];
  let certificates = '';
  for (const request of each) certificates += await ca.sign(request);
  return certificates;
}

describe('a CA is trusted', () => {
  test('by its fingerprint from elsewhere, and not by its file alone', async () => {
    const made = await line(1);
    const vkey = join(made.workshop, 'ca.vkey');
    await writeFile(vkey, `${ca.signer.verifier.line}\n`);
    const digits = execFileSync('sha256sum', [vkey]).toString().slice(0, 32);
    const shown = await made.run('trust', vkey);
    expect(records(shown.stdout)).toMatchObject([
      { type: 'authority', name: 'acme-ca', fingerprint: fingerprint(ca.signer.verifier), trusted: false },
    ]);
    const wrong = digits.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    expect(await made.run('trust', vkey, '--fingerprint', wrong)).toMatchObject({ code: 8 });
    expect(await made.run('export', join(made.workshop, 'out'))).toMatchObject({ code: 3 });
    expect(await made.run('trust', vkey, '--fingerprint', digits.toUpperCase())).toMatchObject({ code: 0 });
    expect(await made.run('export', join(made.workshop, 'out'))).toMatchObject({ code: 0 });
  });

  test('once: another one is refused', async () => {
    const made = await trusting(1);
    const other = makeSigner('acme-ca').verifier;
    const vkey = join(made.workshop, 'other.vkey');
    await writeFile(vkey, other.line);
    const refused = await made.run('trust', vkey, '--fingerprint', fingerprint(other));
    expect(refused).toMatchObject({ code: 8 });
    expect(records(refused.stdout)).toMatchObject([{ code: 'authority-differs' }]);
  });

  test.each([['no key'], ['x'.repeat(600)], ['']])('only if the file is a key: %s', async (content) => {
    const made = await line(0);
    const vkey = join(made.workshop, 'ca.vkey');
    await writeFile(vkey, content);
    expect(records((await made.run('trust', vkey)).stdout)).toMatchObject([{ code: 'verifier-key-invalid' }]);
  });
});

describe('export', () => {
  test('writes the requests of all verified units once, in the order of the ids', async () => {
    const made = await trusting(3);
    const out = join(made.workshop, 'out');
    const exported = await made.run('export', out);
    expect(exported).toMatchObject({ code: 0 });
    const ids = ['00000001', '00000002', '00000003'];
    expect(records(exported.stdout)).toMatchObject([{ type: 'export', sequence: 1, units: ids }]);
    const known = await units(made);
    expect(known.map((unit) => [unit.id, unit.state, unit.batch])).toEqual(
      ids.map((id) => [id, 'exported', 1]),
    );
    expect(await readFile(join(out, 'requests.pem'), 'utf8')).toBe(known.map(({ csr }) => csr).join(''));
    const vkey = await readFile(join(made.station, 'station.vkey'), 'utf8');
    const { manifest } = await readBatch(out, [readVerifier(vkey.trimEnd())]);
    expect(manifest).toMatchObject({ authority: `acme-ca+${ca.signer.verifier.hash}`, sequence: 1 });

    const again = await made.run('export', join(made.workshop, 'again'));
    expect(records(again.stdout)).toMatchObject([{ code: 'nothing-to-export', exit: 2 }]);
    await addUnits(made.station, 1);
    const second = await made.run('export', join(made.workshop, 'second'));
    expect(records(second.stdout)).toMatchObject([{ sequence: 2, units: ['00000004'] }]);
    const next = await readBatch(join(made.workshop, 'second'), [readVerifier(vkey.trimEnd())]);
    expect(next.manifest).toMatchObject({ previous: records(exported.stdout)[0]?.['manifest'] });
  });

  test('writes a batch of before again, byte for byte', async () => {
    const made = await trusting(2);
    const [first, again] = ['first', 'again'].map((name) => join(made.workshop, name)) as [string, string];
    await made.run('export', first);
    await addUnits(made.station, 1);
    expect(await made.run('export', again, '--batch', '1')).toMatchObject({ code: 0 });
    expect(await bytesOf(again)).toEqual(await bytesOf(first));
    expect(records((await made.run('export', again, '--batch', '2')).stdout)).toMatchObject([
      { code: 'batch-unknown' },
    ]);
  });

  test('that could not write writes the same batch the next time, though units have come since', async () => {
    const made = await trusting(2);
    const full = join(made.workshop, 'nowhere', 'out');
    const failed = await made.run('export', full);
    expect(records(failed.stdout)).toMatchObject([{ code: 'directory-unwritable', exit: 6 }]);
    await addUnits(made.station, 1);
    const second = await made.run('export', join(made.workshop, 'out'));
    expect(records(second.stdout)).toMatchObject([{ sequence: 1, units: ['00000001', '00000002'] }]);
    const third = await made.run('export', join(made.workshop, 'more'));
    expect(records(third.stdout)).toMatchObject([{ sequence: 2, units: ['00000003'] }]);
  });

  test('killed at any step leaves no batch or a whole one, and the next time makes it that one', async () => {
    const made = await trusting(2);
    const vkey = readVerifier((await readFile(join(made.station, 'station.vkey'), 'utf8')).trimEnd());
    let cuts = 0;
    for (const call of ['mkdir', 'fsync', 'rename']) {
      for (let nth = 1; ; nth += 1) {
        const copy = join(made.workshop, `${call}-${nth}`);
        await cp(made.station, join(copy, 'st07'), { recursive: true });
        const args = ['--json', '--station', join(copy, 'st07'), 'export', join(copy, 'out')];
        if ((await lineside(args, killedAt(call, nth))).code === 0) break; // past the last call: not cut
        cuts += 1;
        const early = (await readdir(copy)).includes('out') ? await bytesOf(join(copy, 'out')) : undefined;
        const again = await lineside(args);
        const late = again.code !== 0; // it was on record as written, and only nobody was told
        if (late) expect(records(again.stdout)).toMatchObject([{ code: 'nothing-to-export' }]);
        if (early) expect(await bytesOf(join(copy, 'out'))).toEqual(early);
        const { manifest, payload } = await readBatch(join(copy, 'out'), [vkey]);
        expect(manifest).toMatchObject({ sequence: 1 });
        expect(Buffer.from(payload.get('requests.pem') ?? []).toString()).toMatch(/(-----END[^]*){2}/);
      }
    }
    expect(cuts).toBeGreaterThan(8);
  }, 120_000);
});

/** One thread does all work on files, so that the n-th call is always the same one. */
function killedAt(call: string, nth: number): string[] {
  const inject = `inject=${call}:signal=SIGKILL:when=${nth}`;
  return [
    'env',
    'UV_THREADPOOL_SIZE=1',
    'strace',
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    `trace=${call}`,
    '-e',
    inject,
  ];
}

describe('import', () => {
  /** A station whose first batch went to the CA, and the certificates that came of it. */
  async function exported(
    count = 2,
  ): Promise<{ made: Line; certificates: string; answers: string; at: string }> {
    const made = await trusting(count);
    const out = join(made.workshop, 'out');
    const [record] = records((await made.run('export', out)).stdout);
    const certificates = await signAll(out);
    return { made, certificates, answers: String(record?.['manifest']), at: join(made.workshop, 'in') };
  }

  test('gives every unit its certificate, once, and the same batch again changes nothing', async () => {
    const { made, certificates, answers, at } = await exported();
    await answer(ca, at, certificates, { answers });
    const imported = await made.run('import', at);
    expect(imported).toMatchObject({ code: 0 });
    expect(records(imported.stdout)).toMatchObject([
      { type: 'import', result: 'imported', sequence: 1, units: ['00000001', '00000002'] },
    ]);
    const known = await units(made);
    expect(known.map(({ state }) => state)).toEqual(['certified', 'certified']);
    expect(known.map(({ certificate }) => certificate).join('')).toBe(certificates);
    const chain = join(made.workshop, 'chain.pem');
    await writeFile(chain, ca.chain);
    await writeFile(join(made.workshop, 'unit.pem'), known[0]?.certificate ?? '');
    const checked = execFileSync('openssl', ['verify', '-CAfile', chain, join(made.workshop, 'unit.pem')]);
    expect(checked.toString()).toMatch(/OK$/m);

    const again = await made.run('import', at);
    expect(records(again.stdout)).toMatchObject([{ result: 'already', units: [] }]);
    expect(again.code).toBe(0);
    expect(await units(made)).toEqual(known);
  });

  test('takes a batch with fewer certificates than requests, and the rest in the next', async () => {
    const { made, certificates, answers, at } = await exported();
    const [first = '', second = ''] = certificates.split(/(?<=END CERTIFICATE-----\n)/);
    const previous = await answer(ca, at, first, { answers });
    expect(records((await made.run('import', at)).stdout)).toMatchObject([{ units: ['00000001'] }]);
    await answer(ca, `${at}2`, second, { answers, sequence: 2, previous });
    expect(records((await made.run('import', `${at}2`)).stdout)).toMatchObject([{ units: ['00000002'] }]);
    const replay = await made.run('import', at);
    expect(records(replay.stdout)).toMatchObject([{ code: 'batch-refused', exit: 8 }]);
  });

  test('of its own batch of requests takes nothing', async () => {
    const { made } = await exported();
    const refused = await made.run('import', join(made.workshop, 'out'));
    expect(records(refused.stdout)).toMatchObject([{ code: 'batch-refused', exit: 8 }]);
  });
});
