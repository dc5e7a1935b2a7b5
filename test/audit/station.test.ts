import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  appendFile,
  chmod,
  chown,
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findingTable } from '../../src/audit/finding-table.ts';
import { parseDeviceId } from '../../src/device.ts';
import { makeSigner } from '../../src/note.ts';
import { keyOf, negative, requestWith, requestWithNonce, scalarOf } from '../support/chosen-keys.ts';
import { openRaw } from '../registry/temporary-registry.ts';
import { StationLife } from '../support/station-life.ts';
import { audited, byHand, codesOf, copyOf, livedIn, workshopWithAuthorities } from './lived-in.ts';

/*
 * Every wrong that an audit can name, done to a copy of a station that has lived, and each named rightly: these findings
 * and no other.
 */

const shop = workshopWithAuthorities();
let life: StationLife;
beforeAll(async () => {
  life = await StationLife.begin(join(shop.path, 'life'), shop.authorities);
  await livedIn(life);
});

/** What is done, and every kind of finding that comes of it. */
type Wrong = [harm: string | ((directory: string) => Promise<void>), ...codes: (keyof typeof findingTable)[]];

async function isNamed([harm, ...codes]: Wrong): Promise<void> {
  const directory = await copyOf(life);
  await (typeof harm === 'string' ? byHand(directory, harm) : harm(directory));
  const findings = await audited(directory);
  expect(codesOf(findings), JSON.stringify(findings, null, 1)).toEqual(codes.toSorted());
}

const each = (wrongs: Record<string, Wrong>) => test.each(Object.entries(wrongs));

/** One bit of a value, some way in. */
const turned = (table: string, column: string, where: string) => async (directory: string) =>
  byHand(directory, async (raw) => {
    const [row] = await raw.all(`SELECT ${column} AS value FROM ${table} WHERE ${where}`);
    const value = row?.['value'] as Buffer;
    value[70] = (value[70] ?? 0) ^ 1;
    await raw.exec(`UPDATE ${table} SET ${column} = x'${value.toString('hex')}' WHERE ${where}`);
  });

test('a station that nobody touched is not accused', async () => {
  const findings = await audited(await copyOf(life));
  expect(codesOf(findings)).toEqual([]);
  expect(findings.map(({ code }) => code)).toEqual(['log-notice', 'log-unwitnessed']);
});

describe('rows that are not what the log tells:', () => {
  const set = (what: string, unit = 2) => `UPDATE unit SET ${what} WHERE id = ${unit}`;
  each({
    'another state': [set("state = 'certified', generation = NULL"), 'row-differs'],
    'another chip': [set("uid = 'FFFFFFFF00000002'"), 'row-differs'],
    'another probe': [set("probe = 'b'"), 'row-differs'],
    'another firmware': [set('firmware = NULL'), 'row-differs'],
    'another proof': [set("proof = 'signature'"), 'row-differs'],
    locked: [set('locked = 1', 3), 'row-differs'],
    'another generation on board': [set('generation = 1'), 'row-differs'],
    'another reason': [set("reason = 'stolen'", 4), 'row-differs'],
    'reserved at another time': [set("reserved_at = '2020-01-01T00:00:00.000Z'"), 'row-differs'],
    'changed at another time': [set("changed_at = '2020-01-01T00:00:00.000Z'"), 'row-differs'],
    'another batch': [
      set('batch = 2'),
      'row-differs',
      'batch-differs', // whose requests are no longer those of its units
      'certificate-unasked',
    ],
    'another name of its key': [set(`spki = '${'ab'.repeat(32)}'`), 'row-differs', 'request-foreign'],
    'the request of another': [
      'UPDATE unit SET csr = (SELECT csr FROM unit WHERE id = 8) WHERE id = 4',
      'row-differs',
      'request-foreign',
      'key-shared',
      'nonce-shared',
    ],
    'a request with one bit turned': [turned('unit', 'csr', 'id = 8'), 'row-differs', 'request-bad'],
    'a unit gone': ['DELETE FROM unit WHERE id = 8', 'row-missing', 'lease-gap'],
    'a unit more': [
      `INSERT INTO unit (id, state, reserved_at, changed_at, reason) SELECT 10, 'void', reserved_at, changed_at,
        'never' FROM unit WHERE id = 1`,
      'row-unlogged',
    ],
    'a unit outside the leases': [
      `INSERT INTO unit (id, state, reserved_at, changed_at, reason) SELECT 99, 'void', reserved_at, changed_at,
        'never' FROM unit WHERE id = 1`,
      'row-unlogged',
      'id-unleased',
    ],
    'an id that is none': [
      `INSERT INTO unit (id, state, reserved_at, changed_at) SELECT 0, 'reserved', reserved_at, changed_at
        FROM unit WHERE id = 1`,
      'row-stray',
      'registry-unsound',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('certificates:', () => {
  each({
    'one with a bit turned': [
      turned('certificate', 'der', 'unit = 3 AND generation = 1'),
      'certificate-differs',
      'certificate-bad',
    ],
    'the newest one changed': [
      `UPDATE certificate SET der = (SELECT der FROM certificate WHERE unit = 3 AND generation = 1)
        WHERE unit = 3 AND generation = 2`,
      'row-differs',
      'certificate-differs',
      'certificate-bad', // another CA issued it
      'nonce-shared', // it is there twice
    ],
    'that of another': [
      `UPDATE certificate SET der = (SELECT der FROM certificate WHERE unit = 5 AND generation = 1)
        WHERE unit = 3 AND generation = 1`,
      'certificate-differs',
      'certificate-bad',
      'nonce-shared',
    ],
    'another serial number': [
      "UPDATE certificate SET serial = 'ABCD' WHERE unit = 3 AND generation = 1",
      'certificate-differs',
    ],
    'in another batch': [
      'UPDATE certificate SET batch = 2 WHERE unit = 3 AND generation = 1',
      'certificate-differs',
      'certificate-unasked', // that batch answers other requests
    ],
    'of another generation': [
      'UPDATE certificate SET generation = 3 WHERE unit = 3 AND generation = 2',
      'certificate-differs',
      'certificate-unlogged',
      'certificate-missing',
    ],
    'in a batch before that of an older one': [
      'UPDATE certificate SET batch = 1 WHERE unit = 5 AND generation = 2',
      'certificate-differs',
      'certificate-order',
      'certificate-unasked',
      'certificate-bad',
    ],
    'in a batch that never came': [
      'UPDATE certificate SET batch = 77 WHERE unit = 3 AND generation = 2',
      'certificate-differs',
      'certificate-unasked',
    ],
    'one gone': ['DELETE FROM certificate WHERE unit = 3 AND generation = 1', 'certificate-missing'],
    'one more': [
      `INSERT INTO certificate SELECT 3, 3, der, 'ABCD', 4 FROM certificate WHERE unit = 7`,
      'row-differs',
      'certificate-unlogged',
      'certificate-unasked',
      'certificate-differs',
      'certificate-bad',
      'nonce-shared',
    ],
    'one for a unit that never asked': [
      `INSERT INTO certificate SELECT 8, 2, der, 'ABCD', 4 FROM certificate WHERE unit = 7`,
      'row-differs',
      'certificate-unlogged',
      'certificate-unasked',
      'certificate-differs',
      'certificate-bad',
      'nonce-shared',
    ].filter((code) => code !== 'certificate-differs') as Wrong,
    'one of no unit': [
      'UPDATE certificate SET unit = 4000 WHERE unit = 3 AND generation = 1',
      'registry-unsound',
      'certificate-stray',
      'certificate-missing',
    ],
    'a chain with a bit turned': [
      turned('batch_file', 'bytes', "direction = 'in' AND sequence = 1 AND name = 'chain.pem'"),
      'batch-differs',
      'chain-bad',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('leases and ids:', () => {
  each({
    'one closed': [
      `UPDATE lease SET closed_at = '2026-01-01T00:00:00.000Z' WHERE place = 2`,
      'lease-differs',
    ],
    'one gone': ['DELETE FROM lease WHERE place = 2', 'lease-differs'],
    'one more': ['INSERT INTO lease (first, last, next) VALUES (100, 200, 100)', 'lease-differs'],
    'one over another': [
      'INSERT INTO lease (first, last, next) VALUES (16, 40, 16)',
      'lease-differs',
      'lease-overlaps',
    ],
    'one that was stretched': ['UPDATE lease SET last = 31 WHERE place = 1', 'lease-differs'],
    'ids passed over': ['UPDATE lease SET next = next + 3 WHERE place = 1', 'lease-gap'],
    'more ids passed over than there are': [
      'UPDATE lease SET next = 1000 WHERE place = 1',
      'lease-cursor',
      'registry-unsound',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('batches:', () => {
  const out = "WHERE direction = 'out' AND sequence = 2";
  each({
    'another hash': [
      `UPDATE batch SET sha256 = '${'0'.repeat(63)}1' ${out}`,
      'batch-differs',
      'certificate-unasked',
    ],
    'another manifest': [
      `UPDATE batch SET manifest = CAST(replace(manifest, 'st07', 'st08') AS BLOB) ${out}`,
      'batch-differs',
    ],
    'a manifest that is none': [`UPDATE batch SET manifest = x'7b7d' ${out}`, 'batch-differs'],
    'another time': [`UPDATE batch SET at = '2020-01-01T00:00:00.000Z' ${out}`, 'batch-differs'],
    'never written': [`UPDATE batch SET written_at = NULL ${out}`, 'batch-differs'],
    'one gone': [
      "DELETE FROM batch WHERE direction = 'out' AND sequence = 3",
      'batch-missing',
      'certificate-unasked',
    ],
    'one more': [
      `INSERT INTO batch SELECT 'out', 4, manifest, '${'1'.repeat(64)}', sha256, at, at FROM batch
        WHERE direction = 'out' AND sequence = 3`,
      'batch-unlogged',
      'batch-differs',
    ],
    'a file changed': [
      "UPDATE batch_file SET bytes = x'00' WHERE name = 'consistency' AND sequence = 2",
      'batch-differs',
    ],
    'a file gone': ["DELETE FROM batch_file WHERE name = 'consistency' AND sequence = 2", 'batch-differs'],
    'a file more': ["INSERT INTO batch_file VALUES ('in', 1, 'crl.pem', x'00')", 'batch-differs'],
    'the checkpoint of another batch': [
      `UPDATE batch_file SET bytes = (SELECT bytes FROM batch_file WHERE name = 'checkpoint' AND direction = 'in'
        AND sequence = 1) WHERE name = 'checkpoint' AND direction = 'out' AND sequence = 2`,
      'batch-differs',
    ],
    'a checkpoint that nobody signed': [
      `UPDATE batch_file SET bytes = CAST(replace(bytes, char(10) || char(10), char(10) || 'x' || char(10) || char(10))
        AS BLOB) WHERE name = 'checkpoint' AND sequence = 1`,
      'batch-differs',
      'checkpoint-differs',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('who the station is, and whom it trusts:', () => {
  const other = makeSigner('st07');
  each({
    'a CA more': [
      `INSERT INTO authority VALUES (3, '${makeSigner('evil').verifier.line}', '2026-01-01T00:00:00.000Z')`,
      'authority-differs',
    ],
    'another CA': [
      `UPDATE authority SET verifier = '${makeSigner('evil').verifier.line}' WHERE place = 1`,
      'authority-differs',
      'batch-foreign',
      'checkpoint-differs',
    ],
    'a CA gone': [
      'DELETE FROM authority WHERE place = 2',
      'authority-differs',
      'batch-foreign',
      'checkpoint-differs',
    ],
    'another key to check it with': [
      (directory) => writeFile(join(directory, 'station.vkey'), `${other.verifier.line}\n`),
      'station-key-differs',
    ],
    'another key to sign with': [
      async (directory) => {
        const pem = other.privateKey.export({ format: 'pem', type: 'pkcs8' });
        await writeFile(join(directory, 'station.key'), pem);
      },
      'station-key-differs',
      'log-tampered', // it has not signed the log
      'checkpoint-differs',
    ],
    'no key': [(directory) => rm(join(directory, 'station.key')), 'station-key-unusable'],
    'a key that others may read': [
      (directory) => chmod(join(directory, 'station.key'), 0o644),
      'station-key-unusable',
      'file-open',
      'key-found', // nobody can tell that it is the station's
    ],
    'another chip': [
      async (directory) => {
        const path = join(directory, 'station.json');
        await writeFile(path, (await readFile(path, 'utf8')).replace('nrf52840', 'stm32f405'));
      },
      'station-file-differs',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('the rules of the registry:', () => {
  const raw = (sql: string) => async (directory: string) => {
    const open = await openRaw(join(directory, 'registry.db'));
    await open.exec(sql);
    await open.close();
    await rm(join(directory, 'registry.db-shm'), { force: true });
  };
  /** Makes a table anew, with some of its rules taken out. */
  const without = (table: string, rule: RegExp, then: string) => async (directory: string) =>
    byHand(directory, async (sql) => {
      const [made] = await sql.all(`SELECT sql FROM sqlite_schema WHERE name = '${table}'`);
      const indexes = await sql.all(
        `SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = '${table}' AND sql IS NOT NULL`,
      );
      await sql.exec(`PRAGMA legacy_alter_table = ON; ALTER TABLE ${table} RENAME TO old; ${String(made?.['sql']).replace(rule, '')};
        INSERT INTO ${table} SELECT * FROM old; DROP TABLE old; ${then};
        ${indexes.map(({ sql }) => `${String(sql).replace('UNIQUE', '')};`).join('')}`);
    });

  each({
    'a trigger gone': [raw('DROP TRIGGER unit_never_DELETE'), 'schema-differs'],
    'a trigger that does nothing': [
      raw(`DROP TRIGGER log_never_UPDATE;
        CREATE TRIGGER log_never_UPDATE BEFORE UPDATE ON log BEGIN SELECT 1; END`),
      'schema-differs',
    ],
    'an index gone': [raw('DROP INDEX unit_uid_live'), 'schema-differs'],
    'a table more': [raw('CREATE TABLE note (text)'), 'schema-differs'],
    'a table gone': [raw('DROP TABLE batch_file'), 'schema-differs', 'audit-cut-short'],
    'a row against them': ['UPDATE unit SET locked = 7 WHERE id = 8', 'registry-unsound'],
    'two units on a chip': [
      without('unit', /$/, 'UPDATE unit SET uid = (SELECT uid FROM unit WHERE id = 1) WHERE id = 2'),
      'schema-differs',
      'row-differs',
      'chip-twice',
    ],
    'two units of an id': [
      without('unit', /PRIMARY KEY|UNIQUE/g, 'INSERT INTO unit SELECT * FROM unit WHERE id = 4'),
      'schema-differs',
      'registry-unsound', // what refers to a unit cannot tell which
      'id-twice',
    ],
    'two certificates of a serial number': [
      without(
        'certificate',
        /UNIQUE/,
        `UPDATE certificate SET serial = (SELECT serial FROM certificate WHERE unit = 2 AND generation = 1)
          WHERE unit = 3 AND generation = 1`,
      ),
      'schema-differs',
      'certificate-differs',
      'serial-twice',
    ],
  })('%s', (_, wrong) => isNamed(wrong));
});

describe('keys that somebody could find out, honestly logged:', () => {
  /** A station of its own: what it signed and logged is true. */
  async function madeWith(...requests: readonly ReturnType<typeof requestWith>[]) {
    const other = await StationLife.begin(join(shop.path, String(Math.random())), shop.authorities);
    for (const request of requests) await other.add('verified', undefined, request);
    return audited(other.directory);
  }

  test('small numbers, powers of two, and one byte over and over', async () => {
    const scalars = [1n, 2n, 1000n, 2n ** 100n, BigInt(`0x${'5a'.repeat(32)}`)];
    const findings = await madeWith(...scalars.map((scalar) => requestWith(keyOf(scalar))));
    const weak = findings.filter(({ code }) => code === 'key-weak');
    expect(codesOf(findings)).toEqual(['key-weak']);
    expect(weak.map(({ words }) => /: (it is .*)$/.exec(words)?.[1])).toEqual([
      'it is the number 1',
      'it is the number 2',
      'it is the number 1000',
      'it is 2 to the power of 100',
      'it is the byte 90 over and over',
    ]);
  });

  test('a key and its negative, which are two keys to the constraints', async () => {
    const key = keyOf(123456789123456789n);
    const findings = await madeWith(requestWith(key), requestWith(negative(key)));
    expect(codesOf(findings)).toEqual(['key-shared']);
    expect(findings.find(({ code }) => code === 'key-shared')?.words).toContain('00000001 and 00000002');
  });

  test('two requests signed with one random number', async () => {
    const [one, other] = [keyOf(111111111111111111n), keyOf(222222222222222222n)];
    const findings = await madeWith(requestWithNonce(one, 333333333n), requestWithNonce(other, 333333333n));
    expect(codesOf(findings)).toEqual(['nonce-shared']);
  });

  test('units of which nobody knows what became are in doubt', async () => {
    const other = await StationLife.begin(join(shop.path, 'doubtful'), shop.authorities);
    for (const state of ['reserved', 'keyed', 'flashing', 'flashed'] as const) await other.add(state);
    const findings = await audited(other.directory);
    expect(codesOf(findings)).toEqual(['unit-in-doubt']);
    expect(findings.filter(({ code }) => code === 'unit-in-doubt')).toHaveLength(4);
  });
});

describe('files:', () => {
  const at = (work: (path: (name: string) => string) => Promise<unknown>) => async (directory: string) => {
    await work((name) => join(directory, name));
  };

  each({
    'one that does not belong': [
      at((path) => writeFile(path('notes.txt'), 'hello', { mode: 0o600 })),
      'file-unknown',
    ],
    'a directory': [at((path) => mkdir(path('old'), { mode: 0o700 })), 'file-unknown'],
    'one in a directory': [
      at(async (path) => {
        await mkdir(path('old'), { mode: 0o700 });
        await writeFile(path('old/notes.txt'), 'hello', { mode: 0o600 });
      }),
      'file-unknown',
    ],
    'a link in the place of one': [
      at(async (path) => {
        await rename(path('station.vkey'), path('../elsewhere.vkey'));
        await symlink(path('../elsewhere.vkey'), path('station.vkey'));
      }),
      'file-not-regular',
    ],
    'one with two names': [at((path) => link(path('log.head'), path('../log.head'))), 'file-linked'],
    'one that others may read': [at((path) => chmod(path('registry.db'), 0o640)), 'file-open'],
    'one that others may write': [at((path) => chmod(path('station.json'), 0o666)), 'file-open'],
    'a directory that others may enter': [at((path) => chmod(path('.'), 0o755)), 'file-open'],
    'one of another user': [at((path) => chown(path('station.json'), 12345, 0)), 'file-owner'],
  })('%s', (_, wrong) => isNamed(wrong));

  test('what a power cut or a restored backup leaves is worth a notice', async () => {
    const directory = await copyOf(life);
    const left = [
      'log.head.0123456789ab',
      'registry.db.before-20261125T030000Z',
      'registry.db.0123456789ab-wal',
    ];
    for (const name of left) await writeFile(join(directory, name), '', { mode: 0o600 });
    const findings = await audited(directory);
    expect(codesOf(findings)).toEqual([]);
    const named = findings.map(({ subject }) => subject.kind === 'file' && subject.path).filter(Boolean);
    expect(named).toEqual([left[0], left[2], left[1]]);
  });

  test('what can be read by everybody may be', async () => {
    const directory = await copyOf(life);
    for (const name of ['station.json', 'station.vkey']) await chmod(join(directory, name), 0o644);
    expect(codesOf(await audited(directory))).toEqual([]);
  });
});

describe('the private key of a unit is found, wherever somebody has left it:', () => {
  /** In each place in another form; the forms by themselves are in key-scan.test.ts. */
  const key = () => life.keys.get(parseDeviceId('00000006')) ?? keyOf(1n);
  const pem = () => key().export({ format: 'pem', type: 'pkcs8' }).toString();
  const at = (name: string, content: () => string | Buffer) => async (directory: string) => {
    await mkdir(dirname(join(directory, name)), { recursive: true, mode: 0o700 });
    await appendFile(join(directory, name), content(), { mode: 0o600 });
  };
  const fill = 'INSERT INTO note SELECT zeroblob(3000) FROM unit;';
  const inTable = (literal: () => string, then: string) => (directory: string) =>
    byHand(
      directory,
      `CREATE TABLE note (held); ${fill} INSERT INTO note VALUES (${literal()}); ${fill} ${then}`,
    );

  each({
    'in a table': [
      inTable(() => `x'${scalarOf(key()).toString('hex')}'`, ''),
      'schema-differs',
      'key-stored',
    ],
    'on a page that was given back': [
      inTable(() => `'${scalarOf(key()).toString('hex')}'`, 'DROP TABLE note'),
      'key-stored',
    ],
    'in the WAL': [
      async (directory) => {
        const path = join(directory, 'registry.db');
        const raw = await openRaw(path);
        await raw.exec(`PRAGMA wal_autocheckpoint = 0; CREATE TABLE note (held);
          INSERT INTO note VALUES ('${scalarOf(key()).toString('base64')}'); DROP TABLE note`);
        await copyFile(`${path}-wal`, `${path}.kept`);
        await raw.close();
        await rm(`${path}-shm`, { force: true });
        await copyFile(join(life.directory, 'registry.db'), path);
        await rename(`${path}.kept`, `${path}-wal`);
      },
      'key-stored',
    ],
    'in a leaf of the log': [
      async (directory) => {
        const reason = scalarOf(key())
          .toString('hex')
          .replace(/..(?=.)/g, '$&:');
        await byHand(
          directory,
          `UPDATE log SET leaf = CAST(replace(CAST(leaf AS TEXT), 'dropped on the floor',
          '${reason}') AS BLOB)`,
        );
      },
      'log-tampered',
      'key-stored',
    ],
    'in a log file': [
      at('openocd.log', () => `mww 0x20000000 ${scalarOf(key()).toString('hex')}\n`),
      'file-unknown',
      'key-stored',
    ],
    'beside the key of the station': [at('station.key', pem), 'key-stored'],
    'in the station file': [
      async (directory) => {
        const path = join(directory, 'station.json');
        const file = JSON.parse(await readFile(path, 'utf8'));
        await writeFile(
          path,
          JSON.stringify({ ...file, brokerNames: [scalarOf(key()).toString('base64url')] }),
        );
      },
      'key-stored',
    ],
    'in a batch on its way': [at('.lineside-Ab3dEf/in/chain.pem', pem), 'key-stored'],
    'in a core dump': [
      at('core', () => Buffer.concat([Buffer.alloc(5_000_000, 'abc'), scalarOf(key()), Buffer.alloc(100)])),
      'file-unknown',
      'key-stored',
    ],
  })('%s', (_, wrong) => isNamed(wrong));

  test('and the finding says whose it is, where, and in what form', async () => {
    const directory = await copyOf(life);
    await at('notes', () => Buffer.concat([Buffer.alloc(1000), Buffer.from(pem())]))(directory);
    const [named] = (await audited(directory)).filter(({ code }) => code === 'key-stored');
    expect(named).toMatchObject({
      subject: { kind: 'file', path: 'notes' },
      words: 'notes holds the private key of unit 00000006, at byte 1028: an EC key in DER, in base64',
    });
  });

  each({
    'the key of a CA': [
      at('ca.key', () =>
        generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      ),
      'file-unknown',
      'key-found',
    ],
    'a second copy of the key of the station': [
      (directory) => copyFile(join(directory, 'station.key'), join(directory, 'station.key.bak')),
      'file-unknown',
      'key-found',
    ],
    'more random bytes than can be tried': [
      at('blob', () => randomBytes(600_000)),
      'file-unknown',
      'scan-cut-short',
    ],
  })('so is, or is at least not passed over, %s', (_, wrong) => isNamed(wrong));
});

describe('the log:', () => {
  each({
    'an entry changed': [turned('log', 'leaf', 'n = 6'), 'log-tampered'],
    'its end cut off, hashes and all': [
      `DELETE FROM log WHERE n > 30; DELETE FROM node WHERE level = 0 AND place > 30;
        DELETE FROM node WHERE level > 0 AND (place + 1) << level > 31`,
      'log-tampered',
      'row-unlogged',
      'row-differs',
      'certificate-unlogged',
      'batch-unlogged',
      'checkpoint-differs',
      'lease-differs',
      'authority-differs',
    ],
    'its head gone': [(directory) => rm(join(directory, 'log.head')), 'log-tampered'],
    'an older registry in its place': [
      async (directory) => {
        const older = join(shop.path, 'older.db');
        await copyFile(older, join(directory, 'registry.db'));
      },
      'log-tampered',
    ],
  })('%s', (_, wrong) => isNamed(wrong));

  beforeAll(async () => {
    await copyFile(join(life.directory, 'registry.db'), join(shop.path, 'older.db'));
    await life.exchange();
    await life.make(1);
  });

  test('that was sealed long ago is worth a notice', async () => {
    const tomorrow = new Date(Date.now() + 30 * 3_600_000);
    const findings = await audited(await copyOf(life), tomorrow);
    expect(findings.map(({ code }) => code)).toContain('seal-old');
    expect(codesOf(findings)).toEqual([]);
  });
});
