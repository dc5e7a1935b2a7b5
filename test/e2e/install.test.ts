import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Board, ChipName } from '../../sim/board.ts';
import { type CredentialsPage, decodeCredentialsPage } from '../../src/factory-data/credentials-page.ts';
import { FactoryDataError } from '../../src/factory-data/refusal.ts';
import { fingerprint } from '../../src/note.ts';
import { answer, type OpensslCa, opensslCa } from '../support/openssl-ca.ts';
import {
  boardsWith,
  factoryPages,
  identityOn,
  lineside,
  records,
  scratch,
  station,
} from '../support/program.ts';

/*
 * The second pass: a board that was provisioned gets its certificate, and nothing but its credentials page is touched.
 */

const { credentials: credentialsPage, identity: identityPage } = factoryPages.nrf52840;
const pageSize = 0x1000;
/** The identity page up to its private key. */
const publicHead = 100;

let ca: OpensslCa;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lineside-ca-'));
  ca = await opensslCa(directory);
  return () => rm(directory, { recursive: true });
});

/** A station with one board that was provisioned, and whose certificate has come if `certified`. */
async function provisioned(
  certified: 'certified' | 'verified',
  chip: ChipName = 'nrf52840',
): Promise<{ board: Board; directory: string }> {
  const [board] = (await boardsWith(chip, [])) as [Board];
  const directory = await station([board]);
  await mustPass(directory, 'provision');
  if (certified === 'certified') await certify(directory);
  return { board, directory };
}

async function certify(directory: string, files: { 'anchors.pem'?: string } = {}): Promise<void> {
  const workshop = await scratch();
  const at = (name: string) => join(workshop, name);
  await writeFile(at('ca.vkey'), ca.signer.verifier.line);
  await mustPass(directory, 'trust', at('ca.vkey'), '--fingerprint', fingerprint(ca.signer.verifier));
  await mustPass(directory, 'export', at('out'));
  await answer(ca, at('in'), await ca.sign(await readFile(at('out/requests.pem'), 'utf8')), { files });
  await mustPass(directory, 'import', at('in'));
}

/** What an operator writes into the station file by hand. */
async function configure(directory: string, change: object): Promise<void> {
  const path = join(directory, 'station.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }));
}

async function mustPass(directory: string, ...args: string[]): Promise<void> {
  const run = await lineside(['--station', directory, ...args]);
  if (run.code !== 0) throw new Error(run.stderr);
}

const install = (directory: string) => lineside(['--json', '--station', directory, 'install']);
const pageOf = (board: Board, at: number) => Buffer.from(board.flash.subarray(at, at + pageSize));
const stateOf = async (directory: string) => {
  const shown = await lineside(['--json', '--station', directory, 'registry', 'show', '00000001']);
  return records(shown.stdout)[0];
};

/** The page that a cut leaves, if it is one. */
function readable(page: Uint8Array): CredentialsPage | string {
  try {
    return decodeCredentialsPage(page);
  } catch (error) {
    if (error instanceof FactoryDataError) return error.rule;
    throw error;
  }
}

const der = (pem: string) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

describe('install', () => {
  const chips = ['nrf52840', 'stm32f405'] as const;
  test.for(chips)('writes certificate, chain, anchors, names and firmware key: %s', async (chip) => {
    const { board, directory } = await provisioned('certified', chip);
    const firmwareKey = Buffer.from(identityOn(board).publicKey).toString('hex'); // some point of the curve
    await configure(directory, { brokerNames: ['broker.example'], firmwareKey });

    const run = await install(directory);
    expect(run).toMatchObject({ code: 0 });
    expect(records(run.stdout)).toMatchObject([
      { type: 'installed', id: '00000001', generation: 1, probe: 'a' },
    ]);
    const unit = await stateOf(directory);
    expect(unit).toMatchObject({ state: 'installed', generation: 1 });
    const page = decodeCredentialsPage(pageOf(board, factoryPages[chip].credentials));
    const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
    const [devices = '', root] = ca.chain.match(/-----BEGIN[^]*?-----END[^\n]*\n/g) ?? [];
    expect(root).toBeDefined();
    expect(hex(page.certificate)).toBe(hex(der(String(unit?.['certificate']))));
    expect(page.intermediates.map(hex)).toEqual([hex(der(devices))]);
    expect(page.trustAnchors.map(hex)).toEqual([hex(der(ca.anchors))]);
    expect(page).toMatchObject({ generation: 1, brokerNames: ['broker.example'] });
    expect(hex(page.firmwareKey)).toBe(firmwareKey);

    const workshop = await scratch();
    await writeFile(join(workshop, 'leaf.der'), page.certificate);
    const key = execFileSync('openssl', [
      'x509',
      '-in',
      join(workshop, 'leaf.der'),
      '-noout',
      '-pubkey',
    ]).toString();
    expect(der(key).subarray(-65).equals(identityOn(board).publicKey)).toBe(true);
  });

  test('reads no byte of the key, and writes and erases nothing but its own page', async () => {
    const { board, directory } = await provisioned('certified');
    await mustPass(directory, 'install'); // so that the one watched is a re-install, with a page to erase
    const before = pageOf(board, identityPage);
    const elsewhere = Buffer.from(board.flash.subarray(0, credentialsPage));
    const watched = watch(board);
    expect(await install(directory)).toMatchObject({ code: 0 });
    expect(pageOf(board, identityPage).equals(before)).toBe(true);
    expect(elsewhere.equals(board.flash.subarray(0, credentialsPage))).toBe(true);
    expect(watched.written.every((at) => at >= credentialsPage && at < identityPage)).toBe(true);
    expect(watched.written.length).toBeGreaterThan(100);
    const inIdentity = watched.read.filter((at) => at >= identityPage && at < identityPage + pageSize);
    expect(new Set(inIdentity)).toEqual(new Set(range(identityPage, identityPage + publicHead)));

    // Control: the trace sees the key when it is read, as provisioning does to compare it.
    board.swap();
    const control = watch(board);
    await mustPass(directory, 'provision');
    expect(control.read).toContain(identityPage + 104);
    expect(control.written).toContain(identityPage + 104);
  });

  test('cut after any word leaves no page, or the new one', async () => {
    const { board, directory } = await provisioned('certified');
    await mustPass(directory, 'install');
    const old = pageOf(board, credentialsPage);
    const left: Buffer[] = [];
    board.onFlashWrite = () => left.push(pageOf(board, credentialsPage));
    expect(await install(directory)).toMatchObject({ code: 0 });
    const whole = left.pop();
    expect(whole?.equals(old)).toBe(true); // the same credentials are the same page
    expect(readable(whole ?? old)).toMatchObject({ generation: 1 });
    expect(left.length).toBeGreaterThan(100);
    expect(new Set(left.map((page) => readable(page)))).toEqual(new Set(['interrupted']));
  });

  test.each([4, 400, 1000])(
    'after the board went away at byte %i is done by doing it again',
    async (bytes) => {
      const { board, directory } = await provisioned('certified');
      board.setFaults([`unplugged@${bytes}`]);
      const failed = await install(directory);
      expect(failed.code).toBe(5);
      expect(await stateOf(directory)).toMatchObject({ state: 'certified' });
      board.setFaults([]);
      expect(readable(pageOf(board, credentialsPage))).toBe('interrupted');
      expect(await install(directory)).toMatchObject({ code: 0 });
      expect(readable(pageOf(board, credentialsPage))).toMatchObject({ generation: 1 });
      expect(await stateOf(directory)).toMatchObject({ state: 'installed' });
    },
  );

  test('is refused for a board that has no identity', async () => {
    const { board, directory } = await provisioned('certified');
    board.swap();
    expect(records((await install(directory)).stdout)).toMatchObject([{ code: 'board-blank', exit: 4 }]);
  });

  test('is refused for a unit whose certificate has not come, and the board is left alone', async () => {
    const { board, directory } = await provisioned('verified');
    const watched = watch(board);
    const refused = records((await install(directory)).stdout);
    expect(refused).toMatchObject([{ code: 'not-certified', exit: 8 }]);
    expect(watched.written).toEqual([]);
  });

  test('is refused when it would not fit, before the page that is there is erased', async () => {
    const { board, directory } = await provisioned('verified');
    await certify(directory, { 'anchors.pem': ca.anchors.repeat(8) });
    await configure(directory, {
      brokerNames: ['b'.repeat(250), 'c'.repeat(250), 'd'.repeat(250), 'e'.repeat(250)],
    });
    const watched = watch(board);
    const refused = records((await install(directory)).stdout);
    expect(refused).toMatchObject([{ code: 'credentials-refused', exit: 8 }]);
    expect(watched.written).toEqual([]);
  });

  test('is refused for a locked board, with the way that is left', async () => {
    const { board, directory } = await provisioned('certified');
    board.setFaults(['locked']);
    const [refused] = records((await install(directory)).stdout);
    expect(refused).toMatchObject({ code: 'install-locked', exit: 4 });
    expect(refused?.['action']).toContain('UART');
  });

  test.each([
    ['chip', (board: Board, page: Buffer) => copied(board, page)],
    ['key', (board: Board, page: Buffer) => otherKey(board, page)],
    ['id', (board: Board, page: Buffer) => otherId(board, page)],
  ])('is refused for a board whose %s is not the one on record', async (what, forge) => {
    const { board, directory } = await provisioned('certified');
    forge(board, pageOf(board, identityPage));
    const watched = watch(board);
    const [refused] = records((await install(directory)).stdout);
    expect(refused).toMatchObject({ code: 'board-not-of-record', exit: 7 });
    expect(refused?.['message']).toContain(`its ${what}`);
    expect(watched.written).toEqual([]);
  });
});

/** The page on another chip. */
function copied(board: Board, page: Buffer): void {
  board.swap();
  board.flash.set(page, identityPage);
}

/** Another key on the same chip: the generator of the curve (SEC 2 2.4.2). */
function otherKey(board: Board, page: Buffer): void {
  const generator =
    '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
  page.write(generator, 32, 'hex');
  board.flash.set(page, identityPage);
}

function otherId(board: Board, page: Buffer): void {
  page.write('00000002', 20, 'latin1');
  board.flash.set(page, identityPage);
}

/** Which addresses of the chip's flash are read and written from now on. */
function watch(board: Board): { readonly read: number[]; readonly written: number[] } {
  const [read, written]: [number[], number[]] = [[], []];
  board.onFlashRead = (address) => read.push(address);
  board.onFlashWrite = (address) => written.push(address);
  return { read, written };
}

const range = (from: number, to: number) =>
  Array.from({ length: (to - from) / 4 }, (_, word) => from + 4 * word);
