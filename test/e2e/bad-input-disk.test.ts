import { expect, test } from 'vitest';
import { boards, lineside, program, records, scratch, station } from '../support/program.ts';
import { contents } from './refusal.ts';

/*
 * Disks that are full or read-only, mounted where nobody else sees them.
 */

const alone = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-rm'];
const named = ['--name', 'st07', '--chip', 'nrf52840'];

/** Runs lineside on a small disk mounted on `directory`, and lists that disk at the end. */
function onSmallDisk(directory: string, prepare: string): string[] {
  const script = `mount -t tmpfs -o size=512k tmpfs "$0" && ${prepare} && { "$@"; code=$?; ls -A "$0"; exit $code; }`;
  return [...alone, 'sh', '-c', script, directory];
}

test('init on a full disk leaves nothing behind', async () => {
  const directory = await scratch();
  const full = onSmallDisk(directory, 'head -c 240k /dev/zero >"$0/filler"');
  const { code, stdout, stderr } = await lineside(['--json', 'init', `${directory}/st07`, ...named], full);
  expect(code).toBe(6);
  const [record = '', ...listing] = stdout.trim().split('\n');
  expect(JSON.parse(record)).toMatchObject({ type: 'error', exit: 6 });
  expect(listing).toEqual(['filler']);
  expect(stderr).toMatch(/^lineside: .+\nhint: .+\n$/);
});

test('a full disk stops the line before a board is touched', async () => {
  const [board] = await boards([]);
  if (!board) throw new Error('no board');
  const directory = await scratch();
  const init = `"${process.execPath}" "${program}" init "$0/st07" ${named.join(' ')} --probe a=sim:${board.port} >/dev/null`;
  const full = onSmallDisk(directory, `${init} && { cat /dev/zero >"$0/filler" 2>/dev/null || true; }`);
  const run = await lineside(['--json', '--station', `${directory}/st07`, 'provision'], full);
  expect(run).toMatchObject({ code: 6 });
  const [record = ''] = run.stdout.split('\n');
  expect(JSON.parse(record)).toMatchObject({
    type: 'unit',
    result: 'fail',
    error: 'registry-full',
    id: null,
  });
  expect(board.flash.every((byte) => byte === 0xff)).toBe(true);
});

test('a station on a read-only disk is not used', async () => {
  const directory = await station([]);
  const before = contents(directory);
  const readOnly = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  const under = [...alone, 'sh', '-c', readOnly, directory];
  const { code, stdout } = await lineside(['--json', '--station', directory, 'registry', 'list'], under);
  expect(code).toBe(6);
  expect(records(stdout)).toMatchObject([{ code: 'directory-unwritable', exit: 6 }]);
  expect(contents(directory)).toEqual(before);
});

test('results that cannot be written are an error, not a silence', async () => {
  const directory = await station([]);
  const { code, stderr } = await lineside(
    ['init', `${directory}/another`, ...named],
    ['sh', '-c', 'exec "$0" "$@" >/dev/full'],
  );
  expect(code).toBe(6);
  expect(stderr).toContain('lineside: the results could not be written: no space left on device\n');
});

test('a reader that has seen enough is no error', async () => {
  const directory = await station([]);
  const { stderr } = await lineside(
    ['--json', '--station', directory, '--help'],
    ['sh', '-c', '"$0" "$@" | true'],
  );
  expect(stderr).toBe('');
});

test('a reader that goes away does not cut off the boards in work', async () => {
  const directory = await station(await boards([], []));
  const toNobody = ['sh', '-c', '"$0" "$@" | true'];
  const { stderr } = await lineside(['--station', directory, 'provision'], toNobody);
  expect(stderr).toMatch(/\nlineside: interrupted: .+\nhint: .+\n$/);
  const { stdout } = await lineside(['--json', '--station', directory, 'registry', 'list']);
  expect(records(stdout).map(({ state }) => state)).toEqual(['verified', 'verified']);
});
