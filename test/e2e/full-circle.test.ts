import { createPublicKey } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Board } from '../../sim/board.ts';
import { decodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { gnutlsVerify, opensslVerify } from '../ca/judges.ts';
import { module, newToken } from '../ca/soft-token.ts';
import { boards, type Ended, identityOn, lineside, records, scratch, station } from '../support/program.ts';

/*
 * From a blank board to one that carries a certificate its key can use, and on to a new CA years later: station and CA
 * are the built program, with a stick between them, and the one is out of reach while the other works.
 */

const words = 'correct horse battery staple';

interface Ca {
  readonly directory: string;
  /** `lineside ca` with these words, and what opens its keys. */
  readonly run: (...args: string[]) => Promise<Ended>;
}

async function newCa(
  workshop: string,
  name: string,
  keys: 'file' | 'token',
  ...options: string[]
): Promise<Ca> {
  const directory = join(workshop, name);
  const password = join(workshop, 'password');
  await writeFile(password, words);
  const token = keys === 'token' ? await newToken(name) : undefined;
  const secret = token ? ['--pin-file', join(token.directory, 'pin')] : ['--password-file', password];
  const place = token ? ['--pkcs11', module, '--token', name] : [];
  const made = await lineside(
    ['ca', 'init', directory, '--name', name, ...place, ...options, ...secret],
    token?.under,
  );
  if (made.code !== 0) throw new Error(made.stderr);
  const needsKeys = new Set(['sign', 'lease', 'reissue']);
  return {
    directory,
    run: (...args) =>
      lineside(
        ['--json', 'ca', '--ca', directory, ...args, ...(needsKeys.has(args[0] ?? '') ? secret : [])],
        token?.under,
      ),
  };
}

async function must(ended: Promise<Ended>): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await ended;
  if (code !== 0) throw new Error(stderr);
  return records(stdout).at(-1) ?? {};
}

/** Each compares the fingerprint of the other, and the station may use the ids of the CA's lease. */
async function commission(ca: Ca, directory: string, lease = '00000001-000000FF'): Promise<void> {
  await trust(ca, directory);
  const { fingerprint } = await must(ca.run('trust', directory));
  await must(ca.run('trust', directory, '--fingerprint', String(fingerprint)));
  await must(ca.run('lease', 'st07', lease));
}

async function trust(ca: Ca, directory: string, ...options: string[]): Promise<void> {
  const { exchange } = await must(ca.run('show'));
  const { fingerprint } = exchange as { fingerprint: string };
  const args = ['trust', ca.directory, '--fingerprint', fingerprint, ...options];
  await must(lineside(['--json', '--station', directory, ...args]));
}

/** The station out of reach, as on another PC. */
async function without<T>(directory: string, work: () => Promise<T>): Promise<T> {
  await rename(directory, `${directory}-elsewhere`);
  try {
    return await work();
  } finally {
    await rename(`${directory}-elsewhere`, directory);
  }
}

const credentialsOn = (board: Board) => decodeCredentialsPage(board.flash.subarray(0xfe000, 0xff000));
const identityPage = (board: Board) => Buffer.from(board.flash.subarray(0xff000, 0x100000));

/** What a broker would ask of the board: a chain to the CA, and the key that is in the identity page. */
async function mustBeGood(board: Board, ca: Ca): Promise<void> {
  const { certificate, intermediates } = credentialsOn(board);
  const shown = await must(ca.run('show'));
  const { anchor } = shown['device'] as { anchor: { certificate: string } };
  const root = Buffer.from(anchor.certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const chain = { leaf: certificate, intermediates, root };
  for (const verify of [opensslVerify, gnutlsVerify])
    expect(await verify(chain, 'sslclient')).toMatchObject({ passes: true });
  for (const verify of [opensslVerify, gnutlsVerify])
    expect(await verify(chain, 'sslserver')).toMatchObject({ passes: false });
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----`;
  const point = createPublicKey(pem).export({ format: 'der', type: 'spki' }).subarray(-65);
  expect(point.equals(identityOn(board).publicKey)).toBe(true);
}

describe('the full circle', () => {
  test.each([
    ['file', []],
    ['token', ['--intermediates']],
  ] as const)('with the keys of the CA in a %s', async (keys, options) => {
    const workshop = await scratch();
    const ca = await newCa(workshop, 'Acme', keys, ...options);
    const line = await boards([], []);
    const directory = await station(line);
    await commission(ca, directory);
    const at = (name: string) => join(workshop, name);
    const run = (...args: string[]) => must(lineside(['--json', '--station', directory, ...args]));

    await run('provision');
    await run('export', at('requests'));
    await without(directory, () => must(ca.run('sign', at('requests'), '--out', at('answer'))));
    await without(ca.directory, () => run('import', at('answer')));
    for (const probe of ['a', 'b']) await run('install', '--probe', probe);
    for (const board of line) await mustBeGood(board, ca);
  });

  test('ends under another CA, without a byte of the identity changed', async () => {
    const workshop = await scratch();
    const ca = await newCa(workshop, 'Acme', 'file');
    const [board] = (await boards([])) as [Board];
    const directory = await station([board]);
    await commission(ca, directory);
    const at = (name: string) => join(workshop, name);
    const run = (...args: string[]) => must(lineside(['--json', '--station', directory, ...args]));
    await run('provision');
    await run('export', at('requests'));
    await must(ca.run('sign', at('requests'), '--out', at('answer')));
    await run('import', at('answer'));
    await run('install');
    const before = identityPage(board);

    const next = await newCa(workshop, 'Next', 'file');
    const exported = await lineside(['--station', directory, 'registry', 'export']);
    await writeFile(at('registry.jsonl'), exported.stdout);
    const reissued = await must(
      next.run('reissue', '--from', ca.directory, '--registry', at('registry.jsonl'), '--out', at('re')),
    );
    expect(reissued).toMatchObject({ devices: 1, gaps: 0, generation: 2, stations: ['st07'] });
    await trust(next, directory, '--successor');
    await run('import', at('re/stations/st07'));
    expect(await run('install')).toMatchObject({ id: '00000001', generation: 2 });
    expect(identityPage(board).equals(before)).toBe(true);
    expect(credentialsOn(board)).toMatchObject({ generation: 2 });
    expect(credentialsOn(board).trustAnchors).toHaveLength(2);
    await mustBeGood(board, next);
    const pushed = JSON.parse(await readFile(at('re/fleet/devices.jsonl'), 'utf8')) as {
      certificate: string;
    };
    expect(
      Buffer.from(pushed.certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64').equals(
        credentialsOn(board).certificate,
      ),
    ).toBe(true);
  });
});

describe('a CA at the line', () => {
  async function atTheLine(lease?: string) {
    const workshop = await scratch();
    const ca = await newCa(workshop, 'Acme', 'file');
    const line = await boards([], []);
    const directory = await station(line);
    await commission(ca, directory, lease);
    const at = (name: string) => join(workshop, name);
    const run = (...args: string[]) => lineside(['--json', '--station', directory, ...args]);
    const provision = (...args: string[]) =>
      run('provision', '--ca', ca.directory, '--password-file', at('password'), ...args);
    const units = async () => records((await run('registry', 'list')).stdout);
    return { workshop, at, ca, line, directory, run, provision, units };
  }

  test('certifies every board as it passes, before its port is locked', async () => {
    const { ca, line, provision, units } = await atTheLine();
    const run = await provision('--lock');
    expect(run.code).toBe(0);
    expect(records(run.stdout)).toMatchObject([
      { result: 'pass', state: 'installed' },
      { result: 'pass', state: 'installed' },
    ]);
    expect(await units()).toMatchObject([
      { state: 'installed', locked: true, generation: 1 },
      { state: 'installed', locked: true, generation: 1 },
    ]);
    for (const board of line) await mustBeGood(board, ca);
  });

  test('that the station does not trust makes it touch no board', async () => {
    const { workshop, at, run, units } = await atTheLine();
    const other = await newCa(workshop, 'Other', 'file');
    const refused = await run('provision', '--ca', other.directory, '--password-file', at('password'));
    expect(records(refused.stdout)).toMatchObject([{ code: 'authority-differs', exit: 8 }]);
    expect(await units()).toEqual([]);
  });

  test('with a wrong password makes the station touch no board', async () => {
    const { at, ca, run, units } = await atTheLine();
    await writeFile(at('wrong'), 'not the password');
    const refused = await run('provision', '--ca', ca.directory, '--password-file', at('wrong'));
    expect(records(refused.stdout)).toMatchObject([{ code: 'wrong-password', exit: 8 }]);
    expect(await units()).toEqual([]);
  });

  test('goes on with a batch that was never answered, and leaves nothing behind', async () => {
    const { at, line, directory, run, provision, units } = await atTheLine();
    await must(run('provision', '--probe', 'a'));
    await must(run('export', at('lost')));
    expect(await provision('--probe', 'b')).toMatchObject({ code: 0 });
    expect(await units()).toMatchObject([{ state: 'certified' }, { state: 'installed' }]);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
    await must(run('install', '--probe', 'a', '--lock'));
    expect(await units()).toMatchObject([{ state: 'installed', locked: true }, { state: 'installed' }]);
    expect(credentialsOn(line[0] as Board)).toMatchObject({ generation: 1 });
  });

  test('that refuses stops the line; the board keeps its identity and gets its certificate by stick', async () => {
    const { at, ca, line, run, provision, units } = await atTheLine('00000001-00000001');
    await must(provision('--probe', 'a'));
    const refused = await provision('--probe', 'b', '--count', '2');
    expect(records(refused.stdout)).toMatchObject([
      { result: 'fail', state: 'exported', error: 'id-not-leased' },
    ]);
    expect(refused.code).toBe(8);
    expect(await units()).toMatchObject([{ state: 'installed' }, { state: 'exported' }]);
    await must(ca.run('lease', 'st07', '00000002-000000FF'));
    await must(run('export', at('stick'), '--batch', '2'));
    await must(ca.run('sign', at('stick'), '--out', at('answer')));
    await must(run('import', at('answer')));
    await must(run('install', '--probe', 'b'));
    await mustBeGood(line[1] as Board, ca);
  });
});
