import { describe, expect, test } from 'vitest';
import { type Authority, makeIntermediate } from '../../src/ca/authority.ts';
import { fillDeviceTemplate, makeDeviceTemplate } from '../../src/ca/device-template.ts';
import { keyIdentifier } from '../../src/ca/extensions.ts';
import { brokerTbs, type DeviceProfile, deviceProfiles, deviceTbs } from '../../src/ca/profile.ts';
import { randomSerial } from '../../src/ca/serial.ts';
import { type Validity, validityFrom } from '../../src/ca/validity.ts';
import { issuedAt, newPoint, newSigner, selfSigned, signedBy, twoLevels } from './authorities.ts';
import { gnutlsText, gnutlsVerify, opensslText, opensslVerify } from './judges.ts';

const variants = Object.keys(deviceProfiles) as DeviceProfile[];
const forLife = validityFrom(issuedAt, null);

interface Made {
  readonly leaf: Uint8Array;
  readonly serial: Uint8Array;
  readonly publicKey: Uint8Array;
}

async function device(authority: Authority, profile: DeviceProfile, validity = forLife): Promise<Made> {
  const [serial, publicKey] = [randomSerial(), newPoint()];
  const template = makeDeviceTemplate(authority.issuer, profile, validity);
  const tbs = fillDeviceTemplate(template, serial, 'ABCD1234', publicKey);
  return { leaf: await signedBy(authority, tbs), serial, publicKey };
}

async function broker(authority: Authority, validity: Validity): Promise<Made> {
  const subject = { serial: randomSerial(), validity, publicKey: newPoint() };
  const names = ['mqtt.example.com', 'mqtt2.example.com'];
  const tbs = brokerTbs(authority.issuer, subject, [['commonName', 'broker 01']], names);
  return { leaf: await signedBy(authority, tbs), ...subject };
}

/** openssl's text from the serial number to the extensions' end, without keys and indentation. */
function fields(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const kept = lines.slice(lines.indexOf('Data:') + 1, lines.indexOf('Signature Value:'));
  const keyFrom = kept.indexOf('pub:');
  return kept.filter((_, at) => at < keyFrom || at > keyFrom + 5);
}

const colons = (bytes: Uint8Array) => (Buffer.from(bytes).toString('hex').match(/../g) ?? []).join(':');
const keyId = (point: Uint8Array) => colons(keyIdentifier(point)).toUpperCase();
const second = (date: Date) =>
  `${date.toUTCString().replace(/^\w+, (\d\d) (\w+) (\d+) (\S+) GMT$/, (_, day, month, year, clock) => `${month} ${String(day).replace(/^0/, ' ')} ${clock} ${year}`)} GMT`;

function head(made: Made, issuer: string, subject: string, notAfter: string): string[] {
  return [
    'Version: 3 (0x2)',
    'Serial Number:',
    colons(made.serial),
    'Signature Algorithm: ecdsa-with-SHA256',
    `Issuer: ${issuer}`,
    'Validity',
    `Not Before: ${second(issuedAt)}`,
    `Not After : ${notAfter}`,
    `Subject: ${subject}`,
    'Subject Public Key Info:',
    'Public Key Algorithm: id-ecPublicKey',
    'Public-Key: (256 bit)',
    'ASN1 OID: prime256v1',
    'NIST CURVE: P-256',
    'X509v3 extensions:',
  ];
}

const leafExtensions = (purpose: string) => [
  'X509v3 Basic Constraints: critical',
  'CA:FALSE',
  'X509v3 Key Usage: critical',
  'Digital Signature',
  'X509v3 Extended Key Usage:',
  purpose,
];
const authorityKeyId = (own: Authority) => ['X509v3 Authority Key Identifier:', keyId(own.issuer.publicKey)];
const subjectKeyId = (point: Uint8Array) => ['X509v3 Subject Key Identifier:', keyId(point)];
const tail = ['Signature Algorithm: ecdsa-with-SHA256'];

describe.each(variants)('a device certificate of profile %s', (profile) => {
  test('has, for openssl, these fields and no other', async () => {
    const authority = await selfSigned();
    const made = await device(authority, profile);
    const skid = deviceProfiles[profile].subjectKeyIdentifier ? subjectKeyId(made.publicKey) : [];
    expect(fields(opensslText(made.leaf))).toEqual([
      ...head(
        made,
        'CN = Acme device CA',
        'CN = ABCD1234, serialNumber = ABCD1234',
        'Dec 31 23:59:59 9999 GMT',
      ),
      ...leafExtensions('TLS Web Client Authentication'),
      ...authorityKeyId(authority),
      ...skid,
      ...tail,
    ]);
  });

  test('has, for GnuTLS, these fields', async () => {
    const { leaf } = await device(await selfSigned(), profile);
    const text = gnutlsText(leaf);
    expect(text).toContain('Not After: Fri Dec 31 23:59:59 UTC 9999');
    expect(text).toContain('Subject: serialNumber=ABCD1234,CN=ABCD1234');
    expect(text.match(/\((not )?critical\):/g)).toHaveLength(
      deviceProfiles[profile].subjectKeyIdentifier ? 5 : 4,
    );
    expect(text).toContain('TLS WWW Client.');
  });

  test('is, made by patching, byte for byte what pkijs makes of the same fields', async () => {
    const { issuer } = await selfSigned('FFFFFFFF ABCD1234 CA');
    for (const id of ['00000001', 'ABCD1234', 'FFFFFFFE']) {
      const subject = { serial: randomSerial(), validity: forLife, publicKey: newPoint() };
      const template = makeDeviceTemplate(issuer, profile, forLife);
      const patched = fillDeviceTemplate(template, subject.serial, id, subject.publicKey);
      expect(patched).toEqual(Buffer.from(deviceTbs(issuer, subject, id, profile)));
    }
  });

  test.each(['its own trust anchor', 'an intermediate'])(
    'is good for openssl and GnuTLS for a TLS client under %s, and for nothing else',
    async (place) => {
      const single = await selfSigned();
      const two = await twoLevels();
      const alone = place === 'its own trust anchor';
      const authority = alone ? single : two.authority;
      const chain = {
        leaf: (await device(authority, profile)).leaf,
        intermediates: alone ? [] : [authority.certificate],
        root: alone ? single.certificate : two.root.certificate,
      };
      expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: true });
      expect(await gnutlsVerify(chain, 'sslclient')).toMatchObject({ passes: true });
      expect(await opensslVerify(chain, 'sslserver')).toMatchObject({ passes: false });
      expect(await gnutlsVerify(chain, 'sslserver')).toMatchObject({ passes: false });
    },
  );
});

test('a device certificate without end is written 99991231235959Z, without fraction', async () => {
  const { leaf } = await device(await selfSigned(), 'default');
  expect(Buffer.from(leaf).includes(Buffer.from('\x18\x0f99991231235959Z', 'latin1'))).toBe(true);
});

test.each([
  ['up to 2049 as UTCTime', '2049-12-31T23:59:59.999Z', '\x17\x0d491231235959Z'],
  ['from 2050 as GeneralizedTime', '2050-01-01T00:00:00.123Z', '\x18\x0f20500101000000Z'],
])('a limited end is written %s, in whole seconds', async (_, end, bytes) => {
  const validity = { notBefore: issuedAt, notAfter: new Date(end) };
  const { leaf } = await device(await selfSigned(), 'default', validity);
  expect(Buffer.from(leaf).includes(Buffer.from(bytes, 'latin1'))).toBe(true);
  expect(gnutlsText(leaf)).toContain(`Subject: serialNumber=ABCD1234`);
});

test('a limited certificate is refused by openssl and GnuTLS after its end, and not before', async () => {
  const authority = await selfSigned();
  const { leaf } = await device(authority, 'default', validityFrom(issuedAt, 30));
  const chain = { leaf, root: authority.certificate };
  const after = new Date(issuedAt.getTime() + 31 * 86_400_000);
  const attime = String(Math.floor(after.getTime() / 1000));
  expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: true });
  expect(await opensslVerify(chain, 'sslclient', '-attime', attime)).toMatchObject({ passes: false });
  expect(await gnutlsVerify(chain, 'sslclient')).toMatchObject({ passes: true });
  expect(await gnutlsVerify(chain, 'sslclient', '--attime', after.toISOString())).toMatchObject({
    passes: false,
  });
});

test('serial numbers are 16 bytes, positive and not repeated', () => {
  const serials = Array.from({ length: 10_000 }, randomSerial);
  expect(serials.every((serial) => serial.length === 16)).toBe(true);
  expect(serials.every(([first = 0]) => first >= 0x40 && first < 0x80)).toBe(true);
  expect(new Set(serials.map(colons)).size).toBe(serials.length);
});

describe('a broker certificate', () => {
  test('has, for openssl, these fields and no other', async () => {
    const authority = await selfSigned('Acme broker CA');
    const made = await broker(authority, { notBefore: issuedAt, notAfter: new Date('2040-01-02T03:04:05Z') });
    expect(fields(opensslText(made.leaf))).toEqual([
      ...head(made, 'CN = Acme broker CA', 'CN = broker 01', 'Jan  2 03:04:05 2040 GMT'),
      ...leafExtensions('TLS Web Server Authentication'),
      'X509v3 Subject Alternative Name:',
      'DNS:mqtt.example.com, DNS:mqtt2.example.com',
      ...authorityKeyId(authority),
      ...subjectKeyId(made.publicKey),
      ...tail,
    ]);
  });

  test('is good for openssl and GnuTLS for a TLS server of its names, and for nothing else', async () => {
    const authority = await selfSigned('Acme broker CA');
    const { leaf } = await broker(authority, validityFrom(issuedAt, 365));
    const chain = { leaf, root: authority.certificate };
    for (const name of ['mqtt.example.com', 'mqtt2.example.com']) {
      expect(await opensslVerify(chain, 'sslserver', '-verify_hostname', name)).toMatchObject({
        passes: true,
      });
      expect(await gnutlsVerify(chain, 'sslserver', '--verify-hostname', name)).toMatchObject({
        passes: true,
      });
    }
    const foreign = ['-verify_hostname', 'mqtt3.example.com'];
    expect(await opensslVerify(chain, 'sslserver', ...foreign)).toMatchObject({ passes: false });
    expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: false });
    expect(await gnutlsVerify(chain, 'sslclient')).toMatchObject({ passes: false });
  });
});

describe('a CA certificate', () => {
  test.each(['root', 'intermediate'])(
    'of kind %s has, for openssl, these fields and no other',
    async (kind) => {
      const { root, authority } = await twoLevels();
      const own = kind === 'root' ? root : authority;
      const text = fields(opensslText(own.certificate));
      expect(text.slice(text.indexOf('X509v3 extensions:') + 1)).toEqual([
        'X509v3 Basic Constraints: critical',
        kind === 'root' ? 'CA:TRUE' : 'CA:TRUE, pathlen:0',
        'X509v3 Key Usage: critical',
        'Certificate Sign, CRL Sign',
        ...authorityKeyId(root),
        ...subjectKeyId(own.issuer.publicKey),
        ...tail,
      ]);
      expect(text).toContain('Not After : Dec 31 23:59:59 9999 GMT');
    },
  );

  test('below an intermediate is refused by openssl and GnuTLS, a device below it is not', async () => {
    const { root, authority } = await twoLevels();
    const third = await makeIntermediate(authority, [['commonName', 'third']], newSigner(), issuedAt);
    const good = {
      leaf: (await device(authority, 'default')).leaf,
      intermediates: [authority.certificate],
      root: root.certificate,
    };
    const deep = {
      ...good,
      leaf: (await device(third, 'default')).leaf,
      intermediates: [third.certificate, authority.certificate],
    };
    expect(await opensslVerify(good, 'sslclient')).toMatchObject({ passes: true });
    expect(await gnutlsVerify(good, 'sslclient')).toMatchObject({ passes: true });
    expect(await opensslVerify(deep, 'sslclient')).toMatchObject({ passes: false });
    expect(await gnutlsVerify(deep, 'sslclient')).toMatchObject({ passes: false });
  });
});
