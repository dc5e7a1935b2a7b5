import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRaw } from '../registry/temporary-registry.ts';
import { lineside, records, scratch } from '../support/program.ts';
import { stationWithUnits } from '../support/verified-units.ts';

/** A station of two units, of which somebody says in the registry that one is on another chip. */
async function tampered(): Promise<{ readonly station: string; readonly at: (name: string) => string }> {
  const workshop = await scratch();
  const station = join(workshop, 'st07');
  await stationWithUnits(station, 2);
  const sql = await openRaw(join(station, 'registry.db'));
  const [trigger] = await sql.all("SELECT sql FROM sqlite_schema WHERE name = 'unit_changed'");
  await sql.exec(`DROP TRIGGER unit_changed; UPDATE unit SET uid = 'FFFFFFFFFFFFFFFF' WHERE id = 1;`);
  await sql.exec(String(trigger?.['sql']));
  await sql.close();
  return { station, at: (name) => join(workshop, name) };
}

describe('a registry that is not what its log says', () => {
  test('is told of on the page, which is made all the same, and by the exit code', async () => {
    const { station, at } = await tampered();
    for (const name of ['r.html', 'r.jsonl']) {
      const made = await lineside(['--json', '--station', station, 'report', at(name)]);
      expect(made.code).toBe(7);
      expect(records(made.stdout)).toMatchObject([{ type: 'report', units: 2, tampering: 1 }]);
    }
    const page = await readFile(at('r.html'), 'utf8');
    expect(page).toContain(
      '<strong class="mark tamper">Tampering</strong> <a href="#audit">the audit has 1 finding',
    );
    expect(page).toMatch(/unit 00000001: uid is FFFFFFFFFFFFFFFF in the registry and \S+00000001 by the log/);
    const told = records(await readFile(at('r.jsonl'), 'utf8'));
    expect(told).toContainEqual(expect.objectContaining({ type: 'finding', code: 'row-differs' }));
    expect(told).toContainEqual(
      expect.objectContaining({ type: 'unit', id: '00000001', uid: '0000000000000001' }),
    );
  });

  test.each(['r.csv', 'r.xml'])('is given to no other system: no %s', async (name) => {
    const { station, at } = await tampered();
    const refused = await lineside(['--json', '--station', station, 'report', at(name)]);
    expect(refused.code).toBe(7);
    expect(records(refused.stdout)).toMatchObject([{ type: 'error', code: 'log-tampered' }]);
    expect(existsSync(at(name))).toBe(false);
  });
});
