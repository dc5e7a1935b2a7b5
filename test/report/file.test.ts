import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lineside, records, scratch, station } from '../support/program.ts';

/** Makes the system calls of a run fail or end it; one thread does all work on files, so that the n-th is the same. */
function under(...injections: string[]): string[] {
  const each = injections.flatMap((injection) => ['-e', `inject=${injection}`]);
  const trace = `trace=${injections.map((injection) => injection.split(':')[0]).join(',')}`;
  return ['env', 'UV_THREADPOOL_SIZE=1', 'strace', '-f', '-qq', '-o', '/dev/null', '-e', trace, ...each];
}

describe('a report', () => {
  const reporting = async () => {
    const st07 = await station([]);
    return (path: string, prefix: readonly string[] = []) =>
      lineside(['--json', '--station', st07, 'report', path], prefix);
  };

  test('is read by its owner alone, and what is printed is its hash', async () => {
    const report = await reporting();
    const path = join(await scratch(), 'r.html');
    const [made] = records((await report(path)).stdout);
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    expect(made).toMatchObject({ type: 'report', path, units: 0, sha256 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('that is cut off while it is written leaves none, or a whole one', async () => {
    const report = await reporting();
    const [directory, whole] = [await scratch(), join(await scratch(), 'r.csv')];
    await report(whole);
    let cuts = 0;
    for (const call of ['fsync', 'link']) {
      for (let nth = 1; ; nth += 1) {
        const name = `${call}-${nth}.csv`;
        if ((await report(join(directory, name), under(`${call}:signal=KILL:when=${nth}`))).code === 0) break;
        cuts += 1;
        const there = (await readdir(directory)).includes(name);
        if (there) expect(await readFile(join(directory, name))).toEqual(await readFile(whole));
      }
    }
    expect(cuts).toBeGreaterThanOrEqual(3);
  });

  test('is written to a stick that knows no links, and there too never over anything', async () => {
    const report = await reporting();
    const directory = await scratch();
    const path = join(directory, 'r.html');
    expect(await report(path, under('link:error=EPERM'))).toMatchObject({ code: 0 });
    expect(await readFile(path, 'utf8')).toMatch(/<\/html>\n$/);
    expect(await readdir(directory)).toEqual(['r.html']);
    expect(await report(path, under('link:error=EPERM'))).toMatchObject({ code: 2 });
  });
});
