import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { crlTbs } from '../../src/ca/crl.ts';
import { deviceTbs } from '../../src/ca/profile.ts';
import { daysAfter } from '../../src/ca/validity.ts';
import { parseDeviceId } from '../../src/device.ts';
import { LinesideError } from '../../src/errors.ts';
import { type BrokerOrder, exportBroker } from '../../src/export-broker.ts';
import { formatPem } from '../../src/pem.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { contents } from '../e2e/refusal.ts';
import { lineside, records } from '../support/program.ts';
import type { FileName } from '../../src/broker/file-names.ts';
import { type Ca, type Field, type Identity, openField } from './field.ts';

let field: Field;
let made: Ca;
let other: Ca;
beforeAll(async () => {
  field = await openField();
  [made, other] = [await field.ca(), await field.ca('intermediates', 10)];
  await made.devices('00000001', '00000002', '0000000A');
  for (const ca of [made, other]) await ca.signCrl();
});
afterAll(() => field.close());

let ca: Ca;
let target: string;
beforeEach(() => {
  ca = made.copy();
  target = join(field.path('stick'), 'export');
});

const place = { prefix: '/etc/mosquitto/lineside', user: 'mosquitto', address: null, port: 8883 };

function write(authorities: readonly Ca[], more: Partial<BrokerOrder> = {}, now = new Date()) {
  const sources = authorities.map(({ directory, crl }) => ({ directory, crl }));
  return exportBroker(target, { authorities: sources, access: 'acl', backEnds: [], place, ...more }, now);
}

const withCrl = (crl: string) => ({ authorities: [{ directory: ca.directory, crl }] });
const read = (name: FileName) => readFileSync(join(target, name), 'utf8');
const refusal = (code: string, exit: number) =>
  expect.toSatisfy((error) => error instanceof LinesideError && error.code === code && error.exit === exit);

describe('what is in it', () => {
  test('for an acl', async () => {
    await write([ca], { backEnds: [parseDeviceId('0000000A')] });
    expect(readdirSync(target).sort()).toEqual([
      'README.txt',
      'SHA256SUMS',
      'acl',
      'allow-list.txt',
      'broker-anchors.pem',
      'devices-ca.pem',
      'devices-ca.trusted.pem',
      'devices.crl',
      'mosquitto.conf',
      'openssl.cnf',
    ]);
    expect(read('acl')).toBe('pattern readwrite private/%u/#\n\nuser 0000000A\ntopic readwrite private/#\n');
    expect(read('allow-list.txt')).toBe('00000001\n00000002\n0000000A\n');
    expect(read('devices-ca.pem')).toBe(readFileSync(ca.certificate('device'), 'utf8'));
    expect(read('broker-anchors.pem')).toBe(readFileSync(ca.certificate('broker'), 'utf8'));
    expect(read('devices.crl')).toBe(readFileSync(ca.crl, 'utf8'));
    const trusted = 'x509 -addtrust clientAuth -trustout -in'.split(' ');
    expect(read('devices-ca.trusted.pem')).toBe(
      execFileSync('openssl', [...trusted, ca.certificate('device')], { encoding: 'utf8' }),
    );
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: target, stdio: 'pipe' });
  });

  test('for dynamic security: a role for each device and no more', async () => {
    await write([ca], { access: 'dynamic-security' });
    expect(readdirSync(target)).not.toContain('acl');
    const { clients, roles } = JSON.parse(read('dynamic-security.json'));
    expect(clients[0]).toEqual({ username: '00000001', roles: [{ rolename: 'device-00000001' }] });
    expect(roles.map(({ rolename }: { rolename: string }) => rolename)).toEqual([
      'device-00000001',
      'device-00000002',
      'device-0000000A',
    ]);
  });

  test('below one root: the chain of the broker, and the CA of the devices without the root', async () => {
    await write([other]);
    const { certificate } = await other.broker('localhost');
    const [leaf, chain, anchors] = [
      certificate,
      join(target, 'broker-chain.pem'),
      join(target, 'broker-anchors.pem'),
    ];
    const purpose = ['-purpose', 'sslserver', '-x509_strict'];
    execFileSync('openssl', ['verify', ...purpose, '-CAfile', anchors, '-untrusted', chain, leaf]);
    expect(read('devices-ca.pem')).toBe(readFileSync(other.certificate('device'), 'utf8'));
    expect(read('README.txt')).toContain('cat broker.crt broker-chain.pem');
  });

  test('below one root: with the mark of trust the CA of the devices vouches for clients, and the other CA does not', async () => {
    await write([other]);
    const client = await other.forged('device', (issuer, subject) =>
      deviceTbs(issuer, subject, '00000005', 'default'),
    );
    const stolen = await other.forged('broker', (issuer, subject) =>
      deviceTbs(issuer, subject, '00000005', 'default'),
    );
    const verdict = (anchors: string, { certificate }: Identity) => {
      const args = ['-purpose', 'sslclient', '-CAfile', anchors, '-untrusted', certificate, certificate];
      return spawnSync('openssl', ['verify', ...args]).status;
    };
    const trusted = join(target, 'devices-ca.trusted.pem');
    expect([verdict(trusted, client), verdict(trusted, stolen)]).toEqual([0, 2]);
    const root = other.certificate('root');
    expect([verdict(root, client), verdict(root, stolen)]).toEqual([0, 0]);
  });

  test('a device whose certificate is revoked, or has ended, is on no list', async () => {
    const old = other.copy();
    await old.devices('00000003', '00000004');
    await old.revoke('00000003');
    await old.signCrl();
    await write([old]);
    expect(read('allow-list.txt')).toBe('00000004\n');
    await write([old], {}, daysAfter(new Date(), 9));
    expect(read('allow-list.txt')).toBe('00000004\n');
    await write([old], {}, daysAfter(new Date(), 11));
    expect(read('allow-list.txt')).toBe('');
  });

  test('of two CAs it is what either says', async () => {
    await other.devices('00000004');
    const { devices } = await write([ca, other]);
    expect(devices).toEqual(['00000001', '00000002', '00000004', '0000000A']);
    const both = (...files: string[]) => files.map((file) => readFileSync(file, 'utf8')).join('');
    expect(read('devices-ca.pem')).toBe(both(ca.certificate('device'), other.certificate('device')));
    expect(read('broker-anchors.pem')).toBe(both(ca.certificate('broker'), other.certificate('root')));
    expect(read('devices.crl')).toBe(both(ca.crl, other.crl));
  });
});

/** Rewrites the last byte of the DER in a PEM file: of the signature. */
function lastByteFlipped(pem: string): string {
  const der = Buffer.from(pem.split('-----')[2] ?? '', 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return formatPem('X509 CRL', der);
}

/** The first byte of the serial number of its one entry, which is what an attacker would change. */
function serialChanged(pem: string, serial: string): string {
  const der = Buffer.from(pem.split('-----')[2] ?? '', 'base64');
  const at = der.indexOf(Buffer.from(serial, 'hex'));
  der[at] = (der[at] ?? 0) ^ 1;
  return formatPem('X509 CRL', der);
}

const crl = () => readFileSync(ca.crl, 'utf8');
const month = { thisUpdate: new Date(Date.now() - 5000), nextUpdate: daysAfter(new Date(), 30) };

/** Each makes a CRL that is not to reach a broker, and returns its path. */
const badCrls: Readonly<
  Record<string, readonly [code: string, exit: number, make: () => Promise<string> | string]>
> = {
  'a file that is not there': ['crl-unreadable', 2, () => field.path('none')],
  'an empty file': ['crl-invalid', 8, () => field.file('crl', '')],
  garbage: ['crl-invalid', 8, () => field.file('crl', Buffer.from('garbage\n'))],
  'garbage in PEM': [
    'crl-invalid',
    8,
    () => field.file('crl', formatPem('X509 CRL', Buffer.from('garbage'))),
  ],
  'one cut short': ['crl-invalid', 8, () => field.file('crl', crl().slice(0, 200))],
  'a certificate': ['crl-invalid', 8, () => ca.certificate('device')],
  'two in one file': ['crl-invalid', 8, () => field.file('crl', crl() + crl())],
  'one of another CA of the same name': ['crl-foreign', 8, () => other.crl],
  'that of the broker CA': [
    'crl-foreign',
    8,
    async () => {
      const twin = ca.copy();
      await twin.signCrl(30, 'broker');
      return twin.crl;
    },
  ],
  'one with another signature': ['crl-tampered', 7, () => field.file('crl', lastByteFlipped(crl()))],
  'one with an entry changed': [
    'crl-tampered',
    7,
    async () => {
      const [serial = ''] = await ca.revoke('00000001');
      await ca.signCrl();
      return field.file('crl', serialChanged(crl(), serial));
    },
  ],
  'one whose time has not come': [
    'crl-not-yet',
    8,
    () => ca.forgedCrl((issuer) => crlTbs(issuer, 2, { ...month, thisUpdate: daysAfter(new Date(), 1) }, [])),
  ],
  'one that is overdue': [
    'crl-overdue',
    8,
    () => ca.forgedCrl((issuer) => crlTbs(issuer, 2, { ...month, nextUpdate: new Date() }, [])),
  ],
  'the one before the last': [
    'crl-rolled-back',
    8,
    async () => {
      const before = field.file('crl', crl());
      await ca.signCrl();
      return before;
    },
  ],
  'another one of the same number': [
    'crl-differs',
    7,
    () => ca.forgedCrl((issuer) => crlTbs(issuer, 1, month, [])),
  ],
  'one from before a revocation': [
    'crl-behind',
    8,
    async () => {
      await ca.revoke('00000001');
      return ca.crl;
    },
  ],
};

describe('a CRL that is not sound is refused, and the earlier export stays as it is', () => {
  test.for(Object.entries(badCrls))('%s', async ([, [code, exit, make]]) => {
    await write([ca]);
    const before = contents(join(target, '..'));
    await expect(write([ca], withCrl(await make()))).rejects.toEqual(refusal(code, exit));
    expect(contents(join(target, '..'))).toEqual(before);
  });

  test('also against the list that brokers have, when the ledger was restored from a backup', async () => {
    const restored = ca.copy();
    await ca.signCrl();
    await ca.signCrl();
    await write([ca]);
    await restored.signCrl();
    await expect(write([restored])).rejects.toEqual(refusal('crl-rolled-back', 8));
    await restored.signCrl();
    await expect(write([restored])).rejects.toEqual(refusal('crl-differs', 7));
    await restored.signCrl();
    await write([restored]);
  });

  test('one that is newer than the ledger is taken: it knows more', async () => {
    const [serial = ''] = await ca.revoke('00000001');
    const entry = { serial: Buffer.from(serial, 'hex'), at: new Date(), reason: 'keyCompromise' } as const;
    const newer = await ca.forgedCrl((issuer) => crlTbs(issuer, 9, month, [entry]));
    const { devices } = await write([made.copy()], withCrl(newer));
    expect(devices).toEqual(['00000002', '0000000A']);
  });
});

describe('an export takes the place of an export only', () => {
  test('a second one replaces the first whole, and nothing is left beside it', async () => {
    await write([ca], { access: 'dynamic-security' });
    await write([ca]);
    expect(readdirSync(target)).not.toContain('dynamic-security.json');
    expect(readdirSync(join(target, '..'))).toEqual(['export']);
  });

  test.for([
    ['a directory with the key of a broker', () => writeFileSync(join(target, 'broker.key'), '')],
    ['an export whose CRL is damaged', () => writeFileSync(join(target, 'devices.crl'), '')],
    [
      'an export whose CRL is no CRL',
      () => writeFileSync(join(target, 'devices.crl'), formatPem('X509 CRL', new Uint8Array([1]))),
    ],
  ] as const)('%s is left alone', async ([, change]) => {
    await write([ca]);
    change();
    const before = contents(join(target, '..'));
    await expect(write([ca])).rejects.toEqual(refusal('not-an-export', 2));
    expect(contents(join(target, '..'))).toEqual(before);
  });

  test.for([
    ['a file', () => writeFileSync(target, '')],
    ['a link to an export', () => symlinkSync('elsewhere', target)],
  ] as const)('%s is left alone', async ([, make]) => {
    await write([ca]);
    renameSync(target, join(target, '..', 'elsewhere'));
    make();
    const before = contents(join(target, '..'));
    await expect(write([ca])).rejects.toEqual(refusal('not-an-export', 2));
    expect(contents(join(target, '..'))).toEqual(before);
  });

  /** Runs the program with a system call that fails, or at which the power does. */
  const interrupted = (inject: string) => {
    const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=${inject}`];
    return lineside(
      ['--json', 'broker', 'export', target, ...ca.told],
      ['env', 'UV_THREADPOOL_SIZE=1', ...strace],
    );
  };

  test.for(['rename:error=EIO:when=1', 'rename:error=EIO:when=2'])(
    'after %s the earlier one is there, and nothing else',
    async (inject) => {
      await write([ca]);
      const before = contents(join(target, '..'));
      const { code, stdout } = await interrupted(inject);
      expect(records(stdout)).toMatchObject([{ code: 'directory-unwritable', exit: 6 }]);
      expect(code).toBe(6);
      expect(contents(join(target, '..'))).toEqual(before);
    },
  );

  test('on a full disk the earlier one stays, and nothing else', async () => {
    const script = `mount -t tmpfs -o size=128k tmpfs "$0" && "$@" && head -c 60k /dev/zero >"$0/filler" && ! "$@" &&
      ls -A "$0" && cd "$0/export" && sha256sum --check --strict --quiet SHA256SUMS`;
    const disk = field.path('disk');
    mkdirSync(disk);
    const alone = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-rm'];
    const run = await lineside(
      ['--json', 'broker', 'export', join(disk, 'export'), ...ca.told],
      [...alone, 'sh', '-c', script, disk],
    );
    expect(run.code).toBe(0);
    const [first = '', second = '', ...listing] = run.stdout.trim().split('\n');
    expect(JSON.parse(first)).toMatchObject({ type: 'broker-export' });
    expect(JSON.parse(second)).toMatchObject({ code: 'directory-unwritable', exit: 6 });
    expect(listing).toEqual(['export', 'filler']);
  });

  test.for([
    ['rename:signal=KILL:when=1', ['export: earlier', 'hidden: new']],
    ['rename:signal=KILL:when=2', ['hidden: earlier', 'hidden: new']],
    ['rmdir:signal=KILL:when=1', ['export: new', 'hidden: earlier']],
  ] as const)('killed at %s: %j, and each whole', async ([inject, there]) => {
    await write([ca]);
    expect((await interrupted(inject)).signal).toBe('SIGKILL');
    const names = readdirSync(join(target, '..'));
    expect(names.map((name) => kindOf(join(target, '..', name), name)).sort()).toEqual(there);
    await write([ca], { access: 'dynamic-security' });
    expect(kindOf(target, 'export')).toBe('export: new');
  });

  /** Which of the two it is, by the only file in which they differ; its sums must hold. */
  function kindOf(path: string, name: string): string {
    execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: path, stdio: 'pipe' });
    const kind = readdirSync(path).includes('dynamic-security.json') ? 'new' : 'earlier';
    return `${name.startsWith('.lineside-') ? 'hidden' : name}: ${kind}`;
  }
});

describe('two CAs', () => {
  test('that are one are refused', async () => {
    await expect(write([ca, ca.copy()])).rejects.toEqual(refusal('same-ca-twice', 2));
  });

  test('know a device by one key, or it is refused', async () => {
    const request = assemble(goodParts('0000000C'));
    const anew = other.copy();
    await ca.certify([request]);
    await anew.certify([request]);
    await write([ca, anew]);
    await anew.devices('00000001');
    await expect(write([ca, anew])).rejects.toEqual(refusal('device-in-two-cas', 8));
  });

  test.for([
    ['keyCompromise', false],
    ['superseded', true],
  ] as const)('let nobody in by the other whose key one has revoked for %s: %s', async ([reason, letIn]) => {
    const request = assemble(goodParts('0000000C'));
    const anew = other.copy();
    await ca.certify([request]);
    await anew.certify([request]);
    await ca.revoke('0000000C', reason);
    await ca.signCrl();
    const exported = write([ca, anew]);
    if (letIn) expect((await exported).devices).toContain('0000000C');
    else await expect(exported).rejects.toEqual(refusal('key-compromised', 8));
  });
});

describe('a back end', () => {
  const backEnd = (id: string) => ({ backEnds: [parseDeviceId(id)] });

  test('has a certificate that is valid', async () => {
    await expect(write([ca], backEnd('0000000B'))).rejects.toEqual(refusal('backend-not-live', 8));
  });

  test('is certified for the request that docs/broker.md has it make', async () => {
    const page = readFileSync(new URL('../../docs/broker.md', import.meta.url), 'utf8');
    const [, commands = ''] = /## The back end[^]*?```\n([^]*?)\nlineside/.exec(page) ?? [];
    const directory = field.path('back-end');
    mkdirSync(directory);
    execFileSync('sh', ['-ec', commands], { cwd: directory, stdio: 'pipe' });
    const request = execFileSync('openssl', ['req', '-in', 'backend.csr', '-outform', 'der'], {
      cwd: directory,
    });
    await ca.certify([request]);
    await write([ca], backEnd('FFFFFF01'));
    expect(read('acl')).toContain('\nuser FFFFFF01\n');
  });

  test('is no device that came off a line', async () => {
    await ca.certify([assemble(goodParts('0000000B'))], 'st07');
    await expect(write([ca], backEnd('0000000B'))).rejects.toEqual(refusal('backend-is-device', 8));
  });
});

test('a CRL that is due within a week is taken, with a warning', async () => {
  await ca.signCrl(8);
  const args = ['broker', 'export', target, ...ca.told];
  expect((await lineside(args)).stderr).not.toContain('CAREFUL');
  await ca.signCrl(6);
  expect((await lineside(args)).stderr).toContain('CAREFUL, within a week: Acme device CA');
});
