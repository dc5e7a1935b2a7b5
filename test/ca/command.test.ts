import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { revocationReasons } from '../../src/ca/crl.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { lineside, records, scratch } from '../support/program.ts';
import { newDirectory, plain } from './temporary-ca.ts';
import { atTerminal } from './terminal.ts';

const words = 'correct horse battery staple';

/** A directory with a CA and files to give it. */
async function office(structure: 'roots' | 'intermediates' = 'roots') {
  const ca = await newDirectory({ ...plain, structure });
  const file = async (name: string, content: string | Uint8Array) => {
    const path = join(ca, '..', name);
    await writeFile(path, content);
    return path;
  };
  const password = await file('password', `${words}\n`);
  const run = (command: string, ...more: string[]) =>
    lineside(['--json', 'ca', '--ca', ca, '--officer', 'Eve', command, ...more]);
  return { ca, file, password, run, unlock: ['--password-file', password] };
}

test('a CA makes, issues, revokes and lists, told as records', async () => {
  const { ca, file, run, unlock } = await office();
  const request = await file('a.csr', assemble(goodParts('ABCD1234')));
  const [issued] = records((await run('issue', request, ...unlock)).stdout);
  expect(issued).toMatchObject({ type: 'certificate', id: 'ABCD1234', issuer: 'device', officer: 'Eve' });
  const certificate = new X509Certificate(String(issued?.['certificate']));
  expect(certificate.serialNumber.toLowerCase()).toBe(issued?.['serial']);

  const revoked = await run('revoke', 'ABCD1234', '--reason', 'keyCompromise');
  expect(records(revoked.stdout)).toEqual([
    { type: 'revoked', subject: 'ABCD1234', serial: issued?.['serial'], reason: 'keyCompromise' },
  ]);
  const list = join(ca, '..', 'devices.crl');
  for (const number of [1, 2]) {
    const crl = await run('crl', '--out', list, ...unlock);
    expect(records(crl.stdout)).toMatchObject([{ type: 'crl', of: 'device', number, entries: 1 }]);
  }
  expect(await readFile(list, 'utf8')).toContain('-----BEGIN X509 CRL-----');

  const [shown] = records((await run('show')).stdout);
  expect(shown).toMatchObject({
    type: 'ca',
    name: 'Acme',
    tallies: [
      { issuer: 'device', issued: 1, revoked: 1, crlNumber: 2 },
      { issuer: 'broker', issued: 0, revoked: 0, crlNumber: 0 },
    ],
  });
});

test('issue writes nothing but PEM to stdout, and what it is about to sign to stderr', async () => {
  const { ca, file, unlock } = await office();
  const [a, b] = [
    await file('a.csr', assemble(goodParts('00000001'))),
    await file('b.csr', pemOf('00000002')),
  ];
  const run = await lineside(['ca', '--ca', ca, 'issue', a, b, ...unlock]);
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(
    /^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n){2}$/,
  );
  expect(run.stderr).toContain('device 00000001');
  expect(run.stderr).toContain('device 00000002');
});

test('revoke offers the reasons the CA knows, and no other', async () => {
  const { stdout } = await lineside(['ca', 'revoke', '--help']);
  const choices = /choices: ([^)]*)\)/.exec(stdout.replace(/\s+/g, ' '))?.[1] ?? '';
  expect([...choices.matchAll(/\w+/g)].map(([reason]) => reason)).toEqual(Object.keys(revocationReasons));
});

describe('a broker', () => {
  test('gets a certificate of its names with a key made here, for its owner alone', async () => {
    const { ca, run, unlock } = await office('intermediates');
    const key = join(ca, '..', 'broker.key');
    const made = await run('broker', '--dns', 'mqtt.example.com', 'localhost', '--make-key', key, ...unlock);
    const [record] = records(made.stdout);
    const certificate = new X509Certificate(String(record?.['certificate']));
    expect(certificate.subjectAltName).toBe('DNS:mqtt.example.com, DNS:localhost');
    expect(certificate.validTo).toContain(String(new Date(Date.now() + 365 * 86_400_000).getUTCFullYear()));
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const again = await run('broker', '--dns', 'localhost', '--make-key', key, ...unlock);
    expect(again.code).toBe(2);
    expect(records(again.stdout)).toMatchObject([{ code: 'file-exists' }]);
  });

  test('gets a certificate for the key of its request', async () => {
    const { file, run, unlock } = await office();
    const parts = goodParts('anything at all');
    const request = await file('broker.csr', assemble(parts));
    const made = await run('broker', '--dns', 'localhost', '--csr', request, '--valid-days', '7', ...unlock);
    const [record] = records(made.stdout);
    const certificate = new X509Certificate(String(record?.['certificate']));
    expect(certificate.publicKey.export({ format: 'der', type: 'spki' })).toEqual(parts.publicKeyInfo);
    const life = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
    expect(life).toBe(7 * 86_400_000);
  });

  test('leaves no key behind when its certificate is not issued', async () => {
    const { ca, file, run } = await office();
    const wrong = await file('wrong', 'not the password\n');
    const key = join(ca, '..', 'broker.key');
    const options = ['--dns', 'localhost', '--make-key', key, '--password-file', wrong];
    expect(await run('broker', ...options)).toMatchObject({ code: 8 });
    expect(existsSync(key)).toBe(false);
  });
});

describe('init', () => {
  test.each([
    [
      'roots',
      [],
      [
        'broker-ca.crt',
        'broker-ca.key',
        'ca.json',
        'device-ca.crt',
        'device-ca.key',
        'exchange.key',
        'exchange.vkey',
        'ledger.db',
      ],
    ],
    [
      'intermediates',
      ['--intermediates'],
      [
        'broker-ca.crt',
        'broker-ca.key',
        'ca.json',
        'device-ca.crt',
        'device-ca.key',
        'exchange.key',
        'exchange.vkey',
        'ledger.db',
        'root-ca.crt',
        'root-ca.key',
      ],
    ],
  ] as const)('makes %s, for the owner alone, and nothing else', async (structure, options, files) => {
    const directory = await scratch();
    const [ca, password] = [join(directory, 'ca'), join(directory, 'password')];
    await writeFile(password, words);
    const more = ['--profile', 'rfc5280', '--valid-days', '3650', '--password-file', password];
    const made = await lineside(['--json', 'ca', 'init', ca, '--name', 'Acme', ...options, ...more]);
    expect(records(made.stdout)).toMatchObject([{ structure, profile: 'rfc5280', validDays: 3650 }]);
    expect((await readdir(ca)).sort()).toEqual(files);
    for (const file of ['.', ...files])
      expect((await stat(join(ca, file))).mode & 0o777).toBe(file === '.' ? 0o700 : 0o600);
    expect((await readdir(directory)).sort()).toEqual(['ca', 'password']);
  });

  test('of two persons needs both passwords from then on', async () => {
    const directory = await scratch();
    const [ca, one, two] = ['ca', 'one', 'two'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(one, 'password of person one');
    await writeFile(two, 'password of person two');
    const both = ['--password-file', one, '--second-password-file', two];
    expect(await lineside(['ca', 'init', ca, ...both])).toMatchObject({ code: 0 });
    expect(await lineside(['ca', 'crl', '--ca', ca, ...both])).toMatchObject({ code: 0 });
    const swapped = ['--password-file', two, '--second-password-file', one];
    expect(await lineside(['ca', 'crl', '--ca', ca, ...swapped])).toMatchObject({ code: 8 });
    const alone = ['ca', 'crl', '--ca', ca, '--password-file', one];
    expect(await lineside(alone, ['setsid', '-w'])).toMatchObject({ code: 2 });
  });

  test('leaves nothing behind when the password is too short', async () => {
    const directory = await scratch();
    await writeFile(join(directory, 'password'), 'too short');
    const made = await lineside([
      'ca',
      'init',
      join(directory, 'ca'),
      '--password-file',
      join(directory, 'password'),
    ]);
    expect(made.code).toBe(2);
    expect(await readdir(directory)).toEqual(['password']);
  });

  test('is never over anything', async () => {
    const { ca, run, unlock } = await office();
    const before = await readFile(join(ca, 'device-ca.key'));
    const again = await run('init', ca, ...unlock);
    expect(records(again.stdout)).toMatchObject([{ code: 'ca-exists', exit: 2 }]);
    expect(await readFile(join(ca, 'device-ca.key'))).toEqual(before);
  });
});

describe('an error is told by its code', () => {
  test.each([
    ['wrong-password', 8, ['crl', '--password-file', 'wrong']],
    ['password-unreadable', 2, ['crl', '--password-file', 'none']],
    ['password-unreadable', 2, ['crl', '--password-file', 'empty']],
    ['no-terminal', 2, ['crl']],
    ['request-unreadable', 2, ['issue', 'none', '--password-file', 'password']],
    ['request-unreadable', 2, ['issue', 'password', '--password-file', 'password']],
    ['csr-refused', 8, ['issue', 'bad.csr', '--password-file', 'password']],
    ['certificate-not-found', 2, ['revoke', '00000001', '--reason', 'superseded']],
    ['bad-id', 2, ['revoke', 'nobody', '--reason', 'superseded']],
    ['usage', 2, ['revoke', '00000001', '--reason', 'whim']],
    ['usage', 2, ['revoke', '00000001']],
    ['usage', 2, ['broker', '--dns', 'localhost']],
    ['usage', 2, ['broker', '--dns', '*.example.com', '--csr', 'a.csr']],
    ['usage', 2, ['crl', '--days', '0']],
    ['ca-missing', 3, ['show', '--ca', '/nowhere']],
    ['directory-unwritable', 6, ['crl', '--password-file', 'password', '--out', '/nowhere/x.crl']],
  ])('%s, exit code %i: %j', async (code, exit, args) => {
    const place = await officeWithBadFiles();
    const names = ['wrong', 'none', 'empty', 'password', 'bad.csr', 'a.csr'];
    const words = args.map((word) => (names.includes(word) ? join(place.ca, '..', word) : word));
    const own = args.includes('--ca') ? [] : ['--ca', place.ca];
    const run = await lineside(['--json', 'ca', ...own, ...words], ['setsid', '-w']);
    expect(records(run.stdout).at(-1)).toMatchObject({ type: 'error', code, exit });
    expect(run.code).toBe(exit);
  });
});

describe('at the terminal', () => {
  test('a password is asked for and never shown; a slip can be taken back', async () => {
    const { ca } = await office();
    const { screen, code } = await atTerminal(
      ['ca', '--ca', ca, 'crl'],
      [['password: ', `wrong\x15correct horse bätt\x7f\x7f\x7fattery staple\r`]],
    );
    expect(screen).toContain('-----BEGIN X509 CRL-----');
    expect(code).toBe(0);
    expect(screen).not.toMatch(/horse|staple|wrong/);
  });

  test('a new password is asked for twice', async () => {
    const ca = join(await scratch(), 'ca');
    const made = await atTerminal(
      ['ca', 'init', ca],
      [
        ['password: ', `${words}\r`],
        ['once more: ', `${words}\r`],
      ],
    );
    expect(made).toMatchObject({ code: 0 });
    const opened = await atTerminal(['ca', '--ca', ca, 'crl'], [['password: ', `${words}\r`]]);
    expect(opened).toMatchObject({ code: 0 });
  });

  test('a slip in one of the two times makes nothing', async () => {
    const ca = join(await scratch(), 'ca');
    const made = await atTerminal(
      ['ca', 'init', ca],
      [
        ['password: ', `${words}\r`],
        ['once more: ', `${words}!\r`],
      ],
    );
    expect(made.code).toBe(2);
    expect(existsSync(ca)).toBe(false);
  });

  test('Ctrl-C instead of a password signs nothing', async () => {
    const { ca, run } = await office();
    const ended = await atTerminal(['ca', '--ca', ca, 'crl'], [['password: ', 'half\x03']]);
    expect(ended.code).toBe(130);
    expect(records((await run('show')).stdout)).toMatchObject([{ tallies: [{ crlNumber: 0 }, {}] }]);
  });
});

test('a password may come over stdin, ended by a newline of any kind or by none', async () => {
  const { ca } = await office();
  for (const line of [words, `${words}\n`, `${words}\r\n`, `${words}\nmore`]) {
    const shell = `printf '${line.replaceAll('\n', '\\n').replaceAll('\r', '\\r')}' | "$@"`;
    const run = await lineside(['ca', '--ca', ca, 'crl', '--password-file', '-'], ['sh', '-c', shell, 'sh']);
    expect(run).toMatchObject({ code: 0 });
  }
});

async function officeWithBadFiles() {
  const made = await office();
  await made.file('wrong', 'not the password\n');
  await made.file('empty', '\n');
  await made.file('bad.csr', assemble({ ...goodParts('ABCD1234'), key: goodParts().key }));
  await made.file('a.csr', assemble(goodParts('ABCD1234')));
  return made;
}

function pemOf(id: string): string {
  const base64 = assemble(goodParts(id))
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
}
