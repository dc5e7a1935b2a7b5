import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { issueBrokerCertificate, issueCrl, revoke } from '../../src/authority.ts';
import { openAuthority } from '../../src/authority-directory.ts';
import { verifyBrokerCsr } from '../../src/csr/broker.ts';
import { verifyCsr } from '../../src/csr/verify.ts';
import { issueDeviceCertificates } from '../../src/issue-devices.ts';
import { assemble, badRequests, goodParts } from '../csr/bad-requests.ts';
import { openRaw } from '../registry/temporary-registry.ts';
import { gnutlsVerify, opensslText, opensslVerify } from './judges.ts';
import { atWork, newDirectory, plain, unlocked } from './temporary-ca.ts';

const request = (id: string) => assemble(goodParts(id));

describe('a request', () => {
  test('gets a certificate that openssl and GnuTLS accept, of its id and key', async () => {
    const { authority, issue } = await atWork();
    const parts = goodParts('ABCD1234');
    const [issued] = await issue(assemble(parts));
    const chain = { leaf: issued?.der ?? Buffer.of(), root: authority.anchors.device };
    expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: true });
    expect(await gnutlsVerify(chain, 'sslclient')).toMatchObject({ passes: true });
    expect(Buffer.from(chain.leaf).includes(parts.publicKeyInfo)).toBe(true);
    expect(opensslText(chain.leaf)).toContain('Subject: CN = ABCD1234, serialNumber = ABCD1234');
  });

  test('gets a certificate below the intermediate where there is one', async () => {
    const { authority, issue } = await atWork({ ...plain, structure: 'intermediates' });
    const [issued] = await issue(request('ABCD1234'));
    const leaf = issued?.der ?? Buffer.of();
    const chain = {
      leaf,
      intermediates: [authority.certificates.device],
      root: authority.anchors.device,
    };
    expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: true });
    const foreign = { ...chain, intermediates: [authority.certificates.broker] };
    expect(await opensslVerify(foreign, 'sslclient')).toMatchObject({ passes: false });
  });

  test('that is handed in again gets the certificate it got', async () => {
    const { issue } = await atWork();
    const [first, second] = [request('00000001'), request('00000002')];
    const issued = await issue(first, second);
    expect(await issue(second, first, second)).toEqual([issued[1], issued[0], issued[1]]);
  });

  test('that breaks a rule is refused by it, and nothing that came with it is kept', async () => {
    const { authority, issue } = await atWork();
    for (const [rule, name, der] of badRequests) {
      const refused = issue(request('00000009'), der());
      await expect(refused, name).rejects.toMatchObject({ code: 'csr-refused', facts: { name: rule } });
    }
    expect(await authority.ledger.query('SELECT * FROM device')).toEqual([]);
  });

  const parts = goodParts('00000001');
  test.each([
    ['id-has-other-key', 'an id has one key', () => request('00000001')],
    [
      'key-has-other-id',
      'a key has one id',
      () => assemble({ ...goodParts('00000002'), publicKeyInfo: parts.publicKeyInfo, key: parts.key }),
    ],
    ['request-changed', 'an id and its key have one request', () => assemble(parts)],
  ])('is refused as %s because %s, and with it all that came with it', async (code, _, refused) => {
    const { authority, issue } = await atWork();
    await issue(assemble(parts));
    await expect(issue(request('00000003'), refused())).rejects.toMatchObject({ code });
    const kept = await authority.ledger.query('SELECT serial FROM certificate');
    expect(kept).toHaveLength(1);
    expect(await issue(request('00000003'))).toHaveLength(1);
  });

  test('of a revoked device is refused', async () => {
    const { authority, issue, by } = await atWork();
    const der = request('00000001');
    await issue(der);
    await revoke(authority, '00000001', 'keyCompromise', by);
    await expect(issue(der)).rejects.toMatchObject({ code: 'device-revoked' });
  });

  test('in great number gets as many serial numbers', async () => {
    const { issue } = await atWork();
    const many = Array.from({ length: 300 }, (_, at) =>
      request((at + 1).toString(16).toUpperCase().padStart(8, '0')),
    );
    const issued = await issue(...many);
    expect(new Set(issued.map(({ serial }) => serial)).size).toBe(300);
    expect(issued.map(({ id }) => id)).toEqual(many.map((der) => verifyCsr(der).id));
  });
});

describe('a broker', () => {
  const order = (parts = goodParts()) => ({
    publicKey: parts.publicKeyInfo.subarray(-65),
    csrSha256: null,
    dns: ['mqtt.example.com'],
    days: 30,
  });

  test('gets a certificate under the broker CA and not under that of devices', async () => {
    const { authority, by } = await atWork();
    const signing = await unlocked(authority, 'broker');
    const { der: leaf } = await issueBrokerCertificate(authority, signing, order(), by);
    expect(await opensslVerify({ leaf, root: authority.anchors.broker }, 'sslserver')).toMatchObject({
      passes: true,
    });
    expect(await opensslVerify({ leaf, root: authority.anchors.device }, 'sslserver')).toMatchObject({
      passes: false,
    });
  });

  test('is refused with the key of a device, and a device with that of a broker', async () => {
    const { authority, issue, by } = await atWork();
    const signing = await unlocked(authority, 'broker');
    const [device, broker] = [goodParts('00000001'), goodParts('00000002')];
    await issue(assemble(device));
    await issueBrokerCertificate(authority, signing, order(broker), by);
    await expect(issueBrokerCertificate(authority, signing, order(device), by)).rejects.toMatchObject({
      code: 'key-has-other-role',
    });
    await expect(issue(assemble(broker))).rejects.toMatchObject({ code: 'key-has-other-role' });
  });

  const ofNames = ['too-large', 'subject', 'device-id', 'attributes'];
  test.each(badRequests.filter(([rule]) => !ofNames.includes(rule)))(
    'with a request that is no proof of a key is refused by the same rule: %s, %s',
    (rule, name, der) => {
      if (name === 'no attributes field') return expect(verifyBrokerCsr(der())).toHaveProperty('publicKey');
      expect(() => verifyBrokerCsr(der())).toThrow(
        expect.objectContaining({ facts: expect.objectContaining({ name: rule }) }),
      );
    },
  );

  test.each(badRequests.filter(([rule]) => ofNames.includes(rule)))(
    'may ask for any name, because none is taken from its request: %s, %s',
    (_rule, _name, der) => {
      expect(verifyBrokerCsr(der()).publicKey).toHaveLength(65);
    },
  );
});

describe('a CRL', () => {
  test('lists what its CA revoked, and has the next number each time', async () => {
    const { authority, signing, issue, by } = await atWork();
    const [issued] = await issue(request('00000001'), request('00000002'));
    const before = await issueCrl(authority, signing, 'device', 30, by);
    expect(await revoke(authority, '00000001', 'superseded', by)).toEqual([issued?.serial]);
    const after = await issueCrl(authority, signing, 'device', 30, by);
    expect([before, after].map(({ number, entries }) => [number, entries])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    const chain = { leaf: issued?.der ?? Buffer.of(), root: authority.anchors.device };
    expect(await opensslVerify({ ...chain, crl: before.der }, 'sslclient')).toMatchObject({ passes: true });
    expect(await opensslVerify({ ...chain, crl: after.der }, 'sslclient')).toMatchObject({ passes: false });
    expect(await gnutlsVerify({ ...chain, crl: after.der }, 'sslclient')).toMatchObject({ passes: false });
  });

  test('of brokers has its own numbers and entries', async () => {
    const { authority, signing, issue, by } = await atWork();
    await issue(request('00000001'));
    await revoke(authority, '00000001', 'superseded', by);
    await issueCrl(authority, signing, 'device', 30, by);
    const broker = await unlocked(authority, 'broker');
    expect(await issueCrl(authority, broker, 'broker', 30, by)).toMatchObject({ number: 1, entries: 0 });
  });

  test('is not got for what was never issued, and nothing is revoked twice', async () => {
    const { authority, issue, by } = await atWork();
    const [issued] = await issue(request('00000001'));
    for (const subject of ['00000002', 'f'.repeat(32)])
      await expect(revoke(authority, subject, 'unspecified', by)).rejects.toMatchObject({
        code: 'certificate-not-found',
      });
    await expect(revoke(authority, 'nobody', 'unspecified', by)).rejects.toMatchObject({ code: 'bad-id' });
    await revoke(authority, issued?.serial.toUpperCase() ?? '', 'unspecified', by);
    await expect(revoke(authority, '00000001', 'unspecified', by)).rejects.toMatchObject({
      code: 'already-revoked',
    });
  });
});

describe('a CA', () => {
  test('is not opened by a PC whose clock is behind what it did last', async () => {
    const directory = await newDirectory();
    const now = new Date();
    const authority = await openAuthority(directory, now);
    const signing = await unlocked(authority, 'device');
    await issueDeviceCertificates(authority, signing, [request('00000001')], {
      station: null,
      officer: 'test',
      now,
    });
    await authority.ledger.close();
    const behind = new Date(now.getTime() - 1);
    await expect(openAuthority(directory, behind)).rejects.toMatchObject({ code: 'clock-behind' });
    await (await openAuthority(directory, now)).ledger.close();
  });

  test('is not opened before it was made, by its clock', async () => {
    const directory = await newDirectory();
    await expect(openAuthority(directory, new Date('2020-01-01'))).rejects.toMatchObject({
      code: 'clock-behind',
    });
  });

  test('does not sign with a key that is not that of its certificate', async () => {
    const { authority, directory } = await atWork();
    await copyFile(join(directory, 'broker-ca.key'), join(directory, 'device-ca.key'));
    await expect(unlocked(authority, 'device')).rejects.toMatchObject({
      code: 'key-invalid',
    });
  });

  test.each([
    ['ca.json', 'ca-invalid'],
    ['device-ca.crt', 'ca-invalid'],
    ['ledger.db', 'ledger-damaged'],
  ])('whose %s is not what it was is refused as %s', async (file, code) => {
    const directory = await newDirectory();
    await writeFile(join(directory, file), 'x'.repeat(4096));
    await expect(openAuthority(directory, new Date())).rejects.toMatchObject({ code });
  });

  test('takes no registry for its ledger', async () => {
    const directory = await newDirectory();
    const sql = await openRaw(join(directory, 'ledger.db'));
    await sql.exec('PRAGMA application_id = 0x4c535247');
    await sql.close();
    await expect(openAuthority(directory, new Date())).rejects.toMatchObject({
      code: 'ledger-damaged',
      facts: { reason: 'it is not a lineside ledger' },
    });
  });

  test('is at work in one process at a time', async () => {
    const { directory } = await atWork();
    await expect(openAuthority(directory, new Date())).rejects.toMatchObject({ code: 'ledger-busy' });
  });
});
