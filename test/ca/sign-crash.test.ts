import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuthority } from '../../src/authority-directory.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { openRaw } from '../registry/temporary-registry.ts';
import { lineside, scratch } from '../support/program.ts';
import { password, submit, trustedSender } from '../support/submitted.ts';
import { newDirectory } from './temporary-ca.ts';

/** A CA with a batch of three before it. */
async function prepared() {
  const workshop = await scratch();
  const directory = join(workshop, 'ca');
  await cp(await newDirectory(), directory, { recursive: true });
  const authority = await openAuthority(directory, new Date());
  const requests = ['00000001', '00000002', '00000003'].map((id) => assemble(goodParts(id)));
  const batch = await submit(await trustedSender(authority), workshop, requests);
  await authority.ledger.close();
  await writeFile(join(workshop, 'password'), password());
  const sign = (under: readonly string[] = []) =>
    lineside(
      [
        'ca',
        '--ca',
        directory,
        'sign',
        batch,
        '--out',
        join(workshop, 'answer'),
        '--password-file',
        join(workshop, 'password'),
      ],
      under,
    );
  return { workshop, directory, sign };
}

const contentsOf = async (directory: string) => {
  const names = (await readdir(directory)).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]));
};

/** One thread does all work on files, so that the n-th call is always the same one. */
const killedAt = (call: string, nth: number) => [
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
  `inject=${call}:signal=KILL:when=${nth}`,
];

test.each([
  ['fsync', 1],
  ['fsync', 2],
  ['fsync', 4],
  ['fsync', 7],
  ['rename', 1],
  ['mkdir', 1],
] as const)(
  'killed at %s %i, ca sign has issued all or nothing, and the next time writes the answer on record',
  async (call, nth) => {
    const { workshop, directory, sign } = await prepared();
    expect(await sign(killedAt(call, nth))).toMatchObject({ signal: 'SIGKILL' });
    const sql = await openRaw(join(directory, 'ledger.db'));
    const issued = await sql.all('SELECT serial, hex(der) AS der FROM certificate ORDER BY device');
    const batches = await sql.all('SELECT sha256 FROM batch');
    await sql.close();
    expect([0, 3]).toContain(issued.length);
    expect(batches).toHaveLength(issued.length === 0 ? 0 : 2);
    const answer = join(workshop, 'answer');
    const early = (await readdir(workshop)).includes('answer') ? await contentsOf(answer) : undefined;

    expect(await sign()).toMatchObject({ code: 0 });
    if (early !== undefined) expect(await contentsOf(answer)).toEqual(early);
    const after = await openRaw(join(directory, 'ledger.db'));
    const kept = await after.all('SELECT serial, hex(der) AS der FROM certificate ORDER BY device');
    await after.close();
    expect(kept).toHaveLength(3);
    if (issued.length > 0) expect(kept).toEqual(issued);
    expect((await readdir(workshop)).filter((name) => name.startsWith('.lineside-')).length).toBeLessThan(2);
  },
);
