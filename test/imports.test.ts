import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { version } from '../src/version.ts';
import { scratch } from './support/program.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether the linter refuses this import in this file, by the project's own rules. */
async function refuses(file: string, imported: string): Promise<boolean> {
  const directory = await scratch();
  await copyFile(join(root, '.oxlintrc.json'), join(directory, '.oxlintrc.json'));
  await mkdir(dirname(join(directory, file)), { recursive: true });
  await writeFile(join(directory, file), `import { x } from '${imported}';\nexport const y = x;\n`);
  const lint = spawnSync(join(root, 'node_modules/.bin/oxlint'), [file], {
    cwd: directory,
    encoding: 'utf8',
  });
  return lint.stdout.includes('no-restricted-imports');
}

test.each([
  ['src/station.ts', './keygen/key-pair.ts'],
  ['src/station.ts', './swd/openocd.ts'],
  ['src/line.ts', './unit/life.ts'],
  ['bin/lineside.ts', '../src/keygen/key-pair.ts'],
  ['bin/commands/provision.ts', '../../src/swd/identity-writer.ts'],
  ['src/unit/unit-process.ts', '../factory-data/identity-page.ts'],
])('the station process cannot load what holds a key: %s, %s', async (file, imported) => {
  expect(await refuses(file, imported)).toBe(true);
});

test.each([
  ['src/registry/sqlite/unit-rows.ts', '../../log/leaf.ts'],
  ['src/swd/read.ts', '../factory-data/identity-page.ts'],
  ['src/csr/verify.ts', '../keygen/key-pair.ts'],
  ['src/log/leaf.ts', '../station.ts'],
  ['src/log/leaf.ts', '../station-log.ts'],
  ['src/log/verify.ts', '../registry/registry.ts'],
  ['src/log/history/units.ts', '../../registry/facts.ts'],
  ['src/registry/sqlite/log-rows.ts', '../../log/merkle.ts'],
  ['src/unit-line.ts', './log/leaf.ts'],
  ['src/ca/signed.ts', '../csr/verify.ts'],
  ['src/ca/signed.ts', '../registry/registry.ts'],
  ['src/ca/signed.ts', '../authority.ts'],
  ['src/csr/verify.ts', '../ca/profile.ts'],
  ['src/broker/acl.ts', '../ca/profile.ts'],
  ['src/broker/acl.ts', '../consult-authority.ts'],
  ['src/ca/signed.ts', '../broker/acl.ts'],
  ['src/registry/registry.ts', '../broker/acl.ts'],
  ['src/sqlite/open.ts', '../registry/registry.ts'],
  ['src/sqlite/open.ts', '../ca/profile.ts'],
  ['src/registry/registry.ts', '../authority-directory.ts'],
  ['src/log/leaf.ts', '../audit/finding.ts'],
  ['src/audit/units.ts', '../csr/request.ts'],
  ['src/audit/units.ts', '../ca/signed.ts'],
  ['src/report/csv.ts', '../log/leaf.ts'],
  ['src/report/page/page.ts', '../../registry/registry.ts'],
  ['src/report/report.ts', '../audit/units.ts'],
  ['src/device.ts', './csr/verify.ts'],
  ['src/uart/self-test.ts', '../csr/verify.ts'],
  ['src/uart/self-test.ts', '../swd/read.ts'],
  ['src/csr/verify.ts', '../uart/self-test.ts'],
  ['src/unit/life.ts', '../registry/sqlite.ts'],
])('imports run one way, and siblings do not know each other: %s, %s', async (file, imported) => {
  expect(await refuses(file, imported)).toBe(true);
});

test.each([
  ['src/csr/verify.ts', '../../sim/board.ts'],
  ['src/swd/chips/nrf52840.ts', '../../../sim/nrf52840/ficr.ts'],
  ['sim/board.ts', '../src/errors.ts'],
  ['sim/nrf52840/nvmc.ts', '../../src/errors.ts'],
])('the simulator and the product do not know each other: %s, %s', async (file, imported) => {
  expect(await refuses(file, imported)).toBe(true);
});

test.each([
  ['src/station.ts', './swd/chips.ts'],
  ['src/unit/life.ts', '../keygen/key-pair.ts'],
  ['src/registry/sqlite.ts', './registry.ts'],
  ['src/uart/self-test.ts', './device-line.ts'],
])('and what is right is let through: %s, %s', async (file, imported) => {
  expect(await refuses(file, imported)).toBe(false);
});

test('the version that is printed and logged is that of the package', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(version).toBe(manifest.version);
});
