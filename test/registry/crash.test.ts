import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLease } from '../../src/device.ts';
import { createRegistry, openRegistry } from '../../src/registry/sqlite.ts';
import { buildPrograms, command, hold, inOwnMounts, removePrograms, run } from '../support/built-programs.ts';
import { type Acknowledged, audit } from './programs/audit.ts';
import { clock, leaf, temporaryDirectory } from './temporary-registry.ts';

const asRoot = process.getuid?.() === 0;
const nobody = 65534;

beforeAll(buildPrograms);
afterAll(removePrograms);

async function emptyRegistry(): Promise<string> {
  const path = join(await temporaryDirectory(), 'registry.db');
  const registry = await createRegistry(path, leaf, clock);
  await registry.addLease(parseLease('00000001-0000FFFF'));
  await registry.close();
  return path;
}

async function faultsOf(path: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const registry = await openRegistry(path, leaf, clock);
  try {
    return await audit(registry, acknowledged);
  } finally {
    await registry.close();
  }
}

describe('a process that is killed', () => {
  const calls = [
    ...[1, 2, 3, 5, 9, 17, 40, 90, 140].map((nth) => `pwrite64:signal=KILL:when=${nth}`),
    ...[1, 2, 8, 40].map((nth) => `fsync:signal=KILL:when=${nth}`),
  ];

  test.each(calls)(
    'at %s loses nothing it acknowledged, and its rows are what its log says',
    async (call) => {
      const path = await emptyRegistry();
      const { acknowledged, signal } = await workUntil(call, path, 'after');
      expect(signal).toBe('SIGKILL');
      expect(await faultsOf(path, acknowledged)).toEqual([]);
    },
  );

  test.each([1, 5, 20])('while it creates, at write %i, leaves none that is half-made', async (nth) => {
    const path = join(await temporaryDirectory(), 'registry.db');
    const { signal } = await traced(
      `pwrite64:signal=KILL:when=${nth}`,
      path,
      command('open', path, 'create'),
    );
    expect(signal).toBe('SIGKILL');
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({ code: 'registry-damaged' });
  });

  test('is found out by the same check if it acknowledged before the commit', async () => {
    const path = await emptyRegistry();
    const { acknowledged } = await workUntil('pwrite64:signal=KILL:when=20', path, 'before');
    const last = acknowledged.at(-1);
    expect(await faultsOf(path, acknowledged)).toEqual([
      expect.stringContaining(`${last?.id} was acknowledged ${last?.state}`),
    ]);
  });

  test('has committed to the disk, not only to the kernel, before each acknowledgement', async () => {
    const path = await emptyRegistry();
    const trace = `${path}.trace`;
    await run([
      'strace',
      '-f',
      '-e',
      'trace=fsync,write',
      '-e',
      'signal=none',
      '-o',
      trace,
      ...command('work', path),
    ]);
    const calls = (await readFile(trace, 'utf8')).split('\n');
    const order = calls.map((line) =>
      /fsync\(\d+\) += 0|fsync resumed/.test(line) ? 'S' : /write\(1, .*\\"id\\"/.test(line) ? 'A' : '',
    );
    expect(order.join('').match(/A/g)?.length).toBeGreaterThanOrEqual(60);
    expect(order.join('')).not.toMatch(/AA/);
  });
});

describe('a disk that fails', () => {
  test.each([2, 5, 12])(
    'at fsync %i stops the registry, and what it had acknowledged is there',
    async (nth) => {
      const path = await emptyRegistry();
      const { acknowledged, errors } = await workUntil(`fsync:error=EIO:when=${nth}`, path, 'after');
      expect(errors).toEqual([
        { attempt: 'first', error: 'registry-io' },
        { attempt: 'again', error: 'registry-io' },
      ]);
      expect(await faultsOf(path, acknowledged)).toEqual([]);
    },
  );

  test.each([1, 4, 9])('at write %i stops the registry, and nothing is half-written', async (nth) => {
    const path = await emptyRegistry();
    const { acknowledged, errors } = await workUntil(`pwrite64:error=EIO:when=${nth}`, path, 'after');
    expect(errors).toEqual([
      { attempt: 'first', error: 'registry-io' },
      { attempt: 'again', error: 'registry-io' },
    ]);
    expect(await faultsOf(path, acknowledged)).toEqual([]);
  });
});

describe.runIf(asRoot)('a full disk', () => {
  test('stops the registry until it is opened again, and what it had acknowledged is there', async () => {
    const directory = await temporaryDirectory();
    const mount = `mount -t tmpfs -o size=640k none '${directory}'`;
    const { records } = await run(inOwnMounts(mount, command('fill', directory)));
    expect(records).toEqual([
      {
        errors: ['registry-full', 'registry-full', 'registry-full'],
        faults: [],
        acknowledged: expect.any(Number),
        used: records[0]?.acknowledged,
      },
    ]);
    expect(records[0]?.acknowledged).toBeGreaterThan(10);
  });

  test('makes no registry, and no part of one', async () => {
    const directory = await temporaryDirectory();
    const argv = inOwnMounts(`mount -t tmpfs -o size=16k none '${directory}'`, [
      'sh',
      '-c',
      '"$@"; ls -A "$0" | sed \'s/.*/{"left":"&"}/\'',
      directory,
      ...command('open', join(directory, 'registry.db'), 'create'),
    ]);
    expect((await run(argv)).records).toMatchObject([{ outcome: 'registry-full' }]);
  });
});

describe('a registry that may not be written', () => {
  test('because of its permissions is refused', async () => {
    const path = await emptyRegistry();
    const user = asRoot ? nobody : undefined;
    const open = async () => (await run(command('open', path), user)).records;
    const refused = { outcome: 'directory-unwritable', facts: { reason: 'EACCES' } };
    await chmod(join(path, '..'), 0o777);
    await chmod(path, 0o444);
    expect(await open()).toMatchObject([refused]);
    await chmod(path, 0o666);
    await chmod(join(path, '..'), 0o555);
    expect(await open()).toMatchObject([refused]);
    await chmod(join(path, '..'), 0o777);
    expect(await open()).toMatchObject([{ outcome: 'opened' }]);
  });

  test.runIf(asRoot)('because its file system is read-only is refused', async () => {
    const path = await emptyRegistry();
    const directory = join(path, '..');
    const mounts = `mount --bind '${directory}' '${directory}' && mount -o remount,bind,ro '${directory}'`;
    for (const [file, how] of [
      [path, 'open'],
      [`${path}.new`, 'create'],
    ] as const) {
      const { records } = await run(inOwnMounts(mounts, command('open', file, how)));
      expect(records).toMatchObject([{ outcome: 'directory-unwritable' }]);
    }
    expect(await readdir(directory)).toEqual(['registry.db']);
  });
});

describe('a second process', () => {
  test('hears within a second that the registry is busy, and gets it when the first is killed', async () => {
    const path = await emptyRegistry();
    const holder = await hold(command('open', path));
    const { records } = await run(command('open', path));
    expect(records).toMatchObject([{ outcome: 'registry-busy' }]);
    expect(records[0]?.ms).toBeLessThan(1000);
    await expect(openRegistry(path, leaf, clock)).rejects.toMatchObject({
      code: 'registry-busy',
      facts: { path },
    });
    holder.kill();
    await holder.ended;
    await (await openRegistry(path, leaf, clock)).close();
  });
});

async function workUntil(call: string, path: string, when: 'after' | 'before') {
  const { records, signal } = await traced(call, path, command('work', path, when));
  const acknowledged = records.filter(
    (record): record is Record<string, unknown> & Acknowledged => 'id' in record,
  );
  return { acknowledged, errors: records.filter((record) => 'error' in record), signal };
}

/** Runs a program with one system call on the registry made to fail; see strace(1), "inject". */
function traced(call: string, path: string, argv: readonly string[]) {
  const watch = ['-P', path, '-P', `${path}-wal`, '-e', `inject=${call}`];
  return run(['strace', '-f', '-qq', '-o', '/dev/null', ...watch, ...argv]);
}
