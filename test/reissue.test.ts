import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { revoke } from '../src/authority.ts';
import { createAuthority, type OpenAuthority, openAuthority } from '../src/authority-directory.ts';
import { unlock } from '../src/authority-keys.ts';
import type { DeviceId } from '../src/device.ts';
import { issueDeviceCertificates } from '../src/issue-devices.ts';
import { parsePem } from '../src/pem.ts';
import type { ExportedUnit } from '../src/registry-export.ts';
import { planReissue, type ReissueOrder, reissueFleet } from '../src/reissue.ts';
import { gnutlsVerify, opensslVerify } from './ca/judges.ts';
import { plain } from './ca/temporary-ca.ts';
import { assemble, goodParts } from './csr/bad-requests.ts';
import { openRaw } from './registry/temporary-registry.ts';
import { scratch } from './support/program.ts';
import { answered, password, type Sender, submit, trustedSender } from './support/submitted.ts';

/*
 * A fleet of nine under a CA that is to go: five came in a batch of a station, one by itself, one was revoked, and
 * two have a certificate that has ended. Every test moves a copy of it to a new CA.
 */

let before: string;
let after: string;
let sender: Omit<Sender, 'authority'>;
const requests = new Map<string, Uint8Array>();
const certified = new Map<string, string>();

beforeAll(async () => {
  const workshop = await mkdtemp(join(tmpdir(), 'lineside-reissue-'));
  [before, after] = [join(workshop, 'before'), join(workshop, 'after')];
  const now = new Date();
  const longAgo = new Date(now.getTime() - 10 * 86_400_000);
  await createAuthority(before, { ...plain, name: 'Before' }, password(), longAgo);
  await createAuthority(after, { ...plain, name: 'After', profile: 'rfc5280' }, password(), now);
  const authority = await openAuthority(before, now);
  for (let id = 1; id <= 9; id += 1) requests.set(`0000000${id}`, assemble(goodParts(`0000000${id}`)));
  const of = (...ids: number[]) => ids.map((id) => requests.get(`0000000${id}`) ?? new Uint8Array());
  const ended = { ...authority, file: { ...authority.file, validDays: 1 } };
  const by = { station: null, officer: 'test', now };
  await unlock(authority, password(), async (keys) => {
    const signing = await keys.authority('device');
    await issueDeviceCertificates(ended, signing, of(8, 9), { ...by, now: longAgo });
    await issueDeviceCertificates(authority, signing, of(6), by);
  });
  const sent = await trustedSender(authority, '00000001-0000000F');
  const path = await submit(sent, workshop, of(1, 2, 3, 4, 5, 7));
  await answered(authority, path, join(workshop, 'answer'), by);
  await revoke(authority, '00000007', 'keyCompromise', by);
  const { authority: _, ...key } = sent;
  sender = key;
  for (const row of await authority.ledger.query<{ device: number; der: Buffer }>(
    'SELECT device, der FROM certificate',
  ))
    certified.set(`0000000${row.device}`, spki(row.der));
  await authority.ledger.close();
  return () => rm(workshop, { recursive: true });
});

/** Of a certificate, by openssl. */
function spki(der: Uint8Array): string {
  const pem = execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-pubkey'], { input: der });
  return execFileSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: pem }).toString('hex');
}

let old: OpenAuthority;
let fresh: OpenAuthority;
let workshop: string;

async function opened(source: string, name: string): Promise<OpenAuthority> {
  await cp(source, join(workshop, name), { recursive: true });
  const authority = await openAuthority(join(workshop, name), new Date());
  onTestFinished(() => authority.ledger.close().catch(() => {}));
  return authority;
}

beforeEach(async () => {
  workshop = await scratch();
  [old, fresh] = [await opened(before, 'before'), await opened(after, 'after')];
});

const order = (change: Partial<ReissueOrder> = {}): ReissueOrder => ({
  before: old,
  units: undefined,
  expired: 'leave-out',
  brokerAnchors: 'both',
  ...change,
});
const by = () => ({ station: null, officer: 'test', now: new Date() });
const agree = {
  consent: <T>(_: unknown, use: (keys: Parameters<Parameters<typeof unlock<T>>[2]>[0]) => Promise<T>) =>
    unlock(fresh, password(), use),
  progress: () => {},
};
const reissue = (name = 'out', change: Partial<ReissueOrder> = {}) =>
  reissueFleet(fresh, order(change), join(workshop, name), by(), agree);

interface Line {
  readonly id: string;
  readonly generation: number;
  readonly serial: string;
  readonly replaces: string;
  readonly spkiSha256: string;
  readonly csrSha256: string;
  readonly certificate: string;
}
const linesOf = async <T = Line>(file: string, name = 'out') =>
  (await readFile(join(workshop, name, 'fleet', file), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
const pemsIn = async (...path: string[]) =>
  parsePem('CERTIFICATE', await readFile(join(workshop, 'out', ...path), 'latin1')) ?? [];
const der = (pem: string) => parsePem('CERTIFICATE', pem)?.[0] ?? new Uint8Array();

describe('a fleet under a new CA', () => {
  test('has the keys it had, read by openssl from both certificates, and lists who was left out', async () => {
    const done = await reissue();
    expect(done).toMatchObject({ devices: 6, generation: 2, stations: ['st07'] });
    expect(done.gaps).toEqual([
      { id: '00000007', gap: 'revoked' },
      { id: '00000008', gap: 'expired' },
      { id: '00000009', gap: 'expired' },
    ]);
    expect(await linesOf('gaps.jsonl')).toEqual(done.gaps);
    const devices = await linesOf('devices.jsonl');
    expect(devices.map(({ id }) => id)).toEqual(
      ['1', '2', '3', '4', '5', '6'].map((digit) => `0000000${digit}`),
    );
    for (const device of devices) {
      expect(spki(der(device.certificate))).toBe(certified.get(device.id));
      const sha256 = createHash('sha256').update(requests.get(device.id) ?? '');
      expect(device).toMatchObject({ generation: 2, csrSha256: sha256.digest('hex') });
    }
    const serials = await old.ledger.query<{ serial: string }>(
      'SELECT serial FROM certificate ORDER BY device',
    );
    expect(devices.map(({ replaces }) => replaces)).toEqual(serials.slice(0, 6).map(({ serial }) => serial));
  });

  test('is believed by openssl and GnuTLS with the chain that comes with it', async () => {
    await reissue();
    const [first] = await linesOf('devices.jsonl');
    const [issuer = new Uint8Array()] = await pemsIn('fleet', 'chain.pem');
    const chain = { leaf: der(first?.certificate ?? ''), root: issuer };
    for (const verify of [opensslVerify, gnutlsVerify])
      expect(await verify(chain, 'sslclient')).toMatchObject({ passes: true });
    const oldIssuer = old.certificates.device;
    expect(await opensslVerify({ ...chain, root: oldIssuer }, 'sslclient')).toMatchObject({ passes: false });
  });

  test('trusts the brokers of both CAs during the change-over, and brokers trust both fleets', async () => {
    await reissue();
    const same = (ders: readonly Uint8Array[]) => ders.map((each) => Buffer.from(each).toString('base64'));
    expect(same(await pemsIn('fleet', 'device-anchors.pem'))).toEqual(
      same([fresh.anchors.device, old.anchors.device]),
    );
    for (const path of [
      ['fleet', 'anchors.pem'],
      ['stations', 'st07', 'anchors.pem'],
    ])
      expect(same(await pemsIn(...path))).toEqual(same([fresh.anchors.broker, old.anchors.broker]));
  });

  test('trusts the brokers of the new CA alone if that is asked for', async () => {
    await reissue('out', { brokerAnchors: 'new' });
    expect(await pemsIn('fleet', 'anchors.pem')).toHaveLength(1);
  });

  test('is written to the same bytes by the same command again', async () => {
    await reissue();
    await reissue('again');
    for (const directory of ['fleet', 'stations/st07'])
      for (const name of await readdir(join(workshop, 'out', directory)))
        expect(await readFile(join(workshop, 'again', directory, name))).toEqual(
          await readFile(join(workshop, 'out', directory, name)),
        );
  });

  test('has those whose certificate has ended in it if that is asked for', async () => {
    const done = await reissue('out', { expired: 'certify' });
    expect(done).toMatchObject({ devices: 8, gaps: [{ id: '00000007', gap: 'revoked' }] });
  });

  test('is only told of in a dry run', async () => {
    const plan = await planReissue(order(), new Date(), () => {});
    expect(plan).toMatchObject({ devices: 6 });
    expect(await fresh.ledger.query('SELECT * FROM certificate')).toEqual([]);
  });
});

describe('what the registries say', () => {
  const unit = (id: string, change: Partial<ExportedUnit> = {}): [DeviceId, ExportedUnit] => [
    id as DeviceId,
    {
      state: 'installed',
      csrSha256: createHash('sha256')
        .update(requests.get(id) ?? id)
        .digest('hex'),
      ...change,
    },
  ];

  test('is compared, and every difference is a gap', async () => {
    const units = new Map([
      unit('00000001'),
      unit('00000002', { csrSha256: 'a'.repeat(64) }),
      unit('00000003', { state: 'void' }),
      unit('00000005'),
      unit('00000006'),
      unit('0000000A', { state: 'void' }),
      unit('0000000B', { state: 'verified' }),
    ]);
    const done = await reissue('out', { units });
    expect(done.devices).toBe(3);
    expect(done.gaps).toEqual([
      { id: '00000002', gap: 'differs' },
      { id: '00000003', gap: 'void' },
      { id: '00000004', gap: 'missing' },
      { id: '00000007', gap: 'revoked' },
      { id: '00000008', gap: 'expired' },
      { id: '00000009', gap: 'expired' },
      { id: '0000000A', gap: 'void' },
      { id: '0000000B', gap: 'uncertified' },
    ]);
  });
});

describe('the successor', () => {
  test('goes on with the stations: leases, numbers of batches, and how far the log was seen', async () => {
    await reissue();
    const from = { ...sender, log: [...sender.log], authority: fresh };
    const late = await submit(from, workshop, [assemble(goodParts('0000000C'))], {
      header: { authority: `${old.exchange.name}+${old.exchange.hash}` }, // made before the station knew
    });
    const reply = await answered(fresh, late, join(workshop, 'late'), by());
    expect(reply).toMatchObject({ sequence: 3, submission: { logBefore: { size: 2 }, log: { size: 3 } } });
    const stranger = await submit(from, workshop, [assemble(goodParts('00000010'))]);
    await expect(answered(fresh, stranger, join(workshop, 'no'), by())).rejects.toMatchObject({
      code: 'id-not-leased',
    });
  });

  test('does not certify another key for an id of the fleet', async () => {
    await reissue();
    const from = { ...sender, log: [...sender.log], authority: fresh };
    const other = await submit(from, workshop, [assemble(goodParts('00000001'))]);
    await expect(answered(fresh, other, join(workshop, 'no'), by())).rejects.toMatchObject({
      code: 'id-has-other-key',
    });
  });

  test('follows one CA, and nobody once it has begun on its own', async () => {
    await reissue();
    const third = await opened(after, 'third');
    await expect(reissue('out2', { before: third })).rejects.toMatchObject({
      code: 'succession-differs',
      exit: 8,
    });
    fresh = third;
    await trustedSender(third);
    await expect(reissue('out3')).rejects.toMatchObject({ code: 'succession-differs' });
  });

  test('signs nothing if a stored request is not the one that was certified', async () => {
    await old.ledger.close();
    const raw = await openRaw(join(workshop, 'before', 'ledger.db'));
    await raw.exec('DROP TRIGGER device_never_UPDATE');
    const other = Buffer.from(assemble(goodParts('00000003'))).toString('hex');
    await raw.exec(`UPDATE device SET request = x'${other}' WHERE id = 3`);
    await raw.close();
    old = await openAuthority(join(workshop, 'before'), new Date());
    onTestFinished(() => old.ledger.close());
    await expect(reissue()).rejects.toMatchObject({ code: 'request-changed', facts: { id: '00000003' } });
    expect(await fresh.ledger.query('SELECT * FROM certificate')).toEqual([]);
    expect(await readdir(workshop)).not.toContain('out');
  });
});
