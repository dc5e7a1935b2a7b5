import { generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pkcs11js, { type Template } from 'pkcs11js';
import { describe, expect, test } from 'vitest';
import { asked } from '../../src/ca/token/key-attributes.ts';
import { findObjects, openToken, type TokenSession } from '../../src/ca/token/session.ts';
import { findTokenKey, makeTokenKey } from '../../src/ca/token/token-keys.ts';
import { importPublicKey } from '../../src/public-key.ts';
import { assemble, goodParts } from '../csr/bad-requests.ts';
import { lineside, records } from '../support/program.ts';
import { gnutlsVerify, opensslVerify } from './judges.ts';
import { addToken, module, newToken, pin, type SoftToken } from './soft-token.ts';

const name = { id: '00112233445566778899aabbccddeeff', label: 'Acme device CA' };

function open({ label }: SoftToken): Promise<TokenSession> {
  return openToken({ module, token: label }, Buffer.from(pin), 'make-keys');
}

/** Lets `look` into the token, which one session at a time may. */
async function within<T>(token: SoftToken, look: (session: TokenSession) => T): Promise<T> {
  const session = await open(token);
  try {
    return look(session);
  } finally {
    session.close();
  }
}

async function newCa(token: SoftToken, ...options: readonly string[]) {
  const ca = join(token.directory, 'ca');
  const unlock = ['--pin-file', join(token.directory, 'pin')];
  const place = ['--pkcs11', module, '--token', token.label];
  const made = await lineside(
    ['--json', 'ca', 'init', ca, '--name', 'Acme', ...place, ...unlock, ...options],
    token.under,
  );
  const run = (...command: readonly string[]) =>
    lineside(['--json', 'ca', '--ca', ca, ...command], token.under);
  return { ca, made, run, unlock };
}

describe('a CA whose keys are in a token', () => {
  test.each([['roots'], ['intermediates']])(
    'issues what openssl and GnuTLS accept, with %s',
    async (structure) => {
      const token = await newToken();
      const { ca, made, run, unlock } = await newCa(
        token,
        ...(structure === 'roots' ? [] : ['--intermediates']),
      );
      expect(records(made.stdout)).toMatchObject([{ structure, keys: { kind: 'pkcs11', token: 'Acme CA' } }]);
      const request = join(token.directory, 'a.csr');
      await writeFile(request, assemble(goodParts('ABCD1234')));
      const [issued] = records((await run('issue', request, ...unlock)).stdout);
      const der = async (file: string) => new X509Certificate(await readFile(join(ca, file))).raw;
      const chain = {
        leaf: new X509Certificate(String(issued?.['certificate'])).raw,
        intermediates: structure === 'roots' ? [] : [await der('device-ca.crt')],
        root: await der(structure === 'roots' ? 'device-ca.crt' : 'root-ca.crt'),
      };
      expect(await opensslVerify(chain, 'sslclient')).toMatchObject({ passes: true });
      expect(await gnutlsVerify(chain, 'sslclient')).toMatchObject({ passes: true });
    },
  );

  test('has no key in its directory, and two keys in the token', async () => {
    const token = await newToken();
    const { ca } = await newCa(token);
    expect((await readdir(ca)).filter((file) => file.endsWith('.key'))).toEqual([]);
    const keys = await within(token, (session) => findObjects(session, privateKeys));
    expect(keys).toHaveLength(2);
  });

  test('that could not be made leaves no key in the token', async () => {
    const token = await newToken();
    await writeFile(join(token.directory, 'ca'), 'in the way');
    const { made } = await newCa(token);
    expect(made.code).toBe(2);
    expect(await within(token, (session) => findObjects(session, []))).toEqual([]);
  });

  test('signs with nothing but the key of its certificate', async () => {
    const token = await newToken();
    const { ca, run, unlock } = await newCa(token);
    expect(await run('crl', ...unlock)).toMatchObject({ code: 0 });
    await writeFile(join(ca, 'device-ca.crt'), await readFile(join(ca, 'broker-ca.crt')));
    expect(records((await run('crl', ...unlock)).stdout)).toMatchObject([{ code: 'key-invalid' }]);
  });
});

describe('a token is refused', () => {
  test.each([
    ['648219', 'wrong-pin', 8],
    ['1', 'wrong-pin', 8],
    ['648219-linf', 'wrong-pin', 8],
  ])('with PIN %s, as %s', async (wrong, code, exit) => {
    const token = await newToken();
    const { run } = await newCa(token);
    const file = join(token.directory, 'wrong');
    await writeFile(file, wrong);
    const refused = await run('crl', '--pin-file', file);
    expect(records(refused.stdout)).toMatchObject([{ code, exit }]);
    expect(refused.stderr).not.toContain(pin);
  });

  test('if there is none of its name, or two', async () => {
    const token = await newToken();
    const missing = { module, token: 'Acme' };
    await expect(openToken(missing, Buffer.from(pin), 'use-keys')).rejects.toMatchObject({
      code: 'token-missing',
      facts: { count: 0 },
    });
    addToken(token.label);
    await expect(open(token)).rejects.toMatchObject({ code: 'token-missing', facts: { count: 2 } });
  });

  test.each(['/nowhere/token.so', '/etc/passwd'])('if %s is its module', async (path) => {
    await expect(openToken({ module: path, token: 'x' }, Buffer.from(pin), 'use-keys')).rejects.toMatchObject(
      {
        code: 'token-module',
      },
    );
  });

  test('if its keys are those of another CA', async () => {
    const token = await newToken();
    await within(token, (session) => {
      makeTokenKey(session, name);
      const other = { ...name, id: 'f'.repeat(32) };
      expect(() => findTokenKey(session, other)).toThrow(
        expect.objectContaining({ code: 'token-key-missing' }),
      );
      expect(findTokenKey(session, name).publicKey).toHaveLength(65);
    });
  });
});

const privateKeys: Template = [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY }];

/** A key beside or in the place of ours, as an administrator of the token could make one. */
function foreignKey(
  { handle, module }: TokenSession,
  attributes: Partial<Record<keyof typeof asked, boolean>>,
): void {
  const own: Template = [
    { type: pkcs11js.CKA_ID, value: Buffer.from(name.id, 'hex') },
    { type: pkcs11js.CKA_LABEL, value: name.label },
    { type: pkcs11js.CKA_TOKEN, value: true },
  ];
  const wanted = Object.entries({ ...asked, ...attributes }).map(([attribute, value]) => ({
    type: pkcs11js[attribute as keyof typeof asked],
    value,
  }));
  module.C_GenerateKeyPair(
    handle,
    { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN },
    [...own, { type: pkcs11js.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
    [...own, { type: pkcs11js.CKA_PRIVATE, value: true }, ...wanted],
  );
}

describe('a key in a token', () => {
  test('cannot be read out of it, while one that was made extractable can', async () => {
    const value = [{ type: pkcs11js.CKA_VALUE, value: Buffer.alloc(32) }];
    const read = ({ module, handle }: TokenSession, key: Buffer) =>
      module.C_GetAttributeValue(handle, key, value);
    const [ours, foreign] = [await newToken('ours'), await newToken('foreign')];
    await within(foreign, (session) => {
      foreignKey(session, { CKA_SENSITIVE: false, CKA_EXTRACTABLE: true });
      const [key] = findObjects(session, privateKeys);
      expect(read(session, key ?? Buffer.of())[0]?.value).toHaveLength(32);
    });
    process.env['SOFTHSM2_CONF'] = join(ours.directory, 'softhsm2.conf');
    await within(ours, (session) => {
      makeTokenKey(session, name);
      const [key] = findObjects(session, privateKeys);
      expect(() => read(session, key ?? Buffer.of())).toThrow('CKR_ATTRIBUTE_SENSITIVE');
    });
  });

  test.each(Object.entries(asked))('is refused when its %s is not %s', async (attribute, value) => {
    const token = await newToken();
    await within(token, (session) => {
      foreignKey(session, { [attribute]: !value });
      expect(() => findTokenKey(session, name)).toThrow(
        expect.objectContaining({ code: 'token-key-unsafe', facts: expect.objectContaining({ attribute }) }),
      );
    });
  });

  test('is refused when it was not made in the token but brought there', async () => {
    const token = await newToken();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    await within(token, (session) => {
      session.module.C_CreateObject(session.handle, [
        ...privateKeys,
        { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
        { type: pkcs11js.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') },
        { type: pkcs11js.CKA_VALUE, value: scalar },
        { type: pkcs11js.CKA_ID, value: Buffer.from(name.id, 'hex') },
        { type: pkcs11js.CKA_LABEL, value: name.label },
        { type: pkcs11js.CKA_TOKEN, value: true },
        { type: pkcs11js.CKA_PRIVATE, value: true },
        ...Object.entries(asked).map(([attribute, value]) => ({
          type: pkcs11js[attribute as keyof typeof asked],
          value,
        })),
      ]);
      expect(() => findTokenKey(session, name)).toThrow(
        expect.objectContaining({ facts: expect.objectContaining({ attribute: 'CKA_LOCAL' }) }),
      );
    });
  });

  test('is refused when the public key beside it is that of another', async () => {
    const [ours, foreign] = [await newToken('ours'), await newToken('foreign')];
    const template = [{ type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY }];
    const point = [{ type: pkcs11js.CKA_EC_POINT, value: Buffer.alloc(67) }];
    const other = await within(foreign, (session) => {
      makeTokenKey(session, name);
      const [key] = findObjects(session, template);
      return session.module.C_GetAttributeValue(session.handle, key ?? Buffer.of(), point)[0]?.value;
    });
    process.env['SOFTHSM2_CONF'] = join(ours.directory, 'softhsm2.conf');
    await within(ours, (session) => {
      makeTokenKey(session, name);
      const [key] = findObjects(session, template);
      session.module.C_DestroyObject(session.handle, key ?? Buffer.of());
      session.module.C_CreateObject(session.handle, [
        ...template,
        { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
        { type: pkcs11js.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') },
        { type: pkcs11js.CKA_EC_POINT, value: other ?? Buffer.of() },
        { type: pkcs11js.CKA_ID, value: Buffer.from(name.id, 'hex') },
        { type: pkcs11js.CKA_LABEL, value: name.label },
        { type: pkcs11js.CKA_TOKEN, value: true },
      ]);
      expect(() => findTokenKey(session, name)).toThrow('does not fit the public key');
    });
  });

  test('made as ours are is accepted, so each of these was refused for its attribute', async () => {
    const token = await newToken();
    await within(token, (session) => {
      foreignKey(session, {});
      expect(findTokenKey(session, name).publicKey).toHaveLength(65);
    });
  });

  test('signs a thousand times what openssl accepts, leading zeros or not', async () => {
    const token = await newToken();
    const session = await open(token);
    try {
      const signer = makeTokenKey(session, name);
      const lengths = new Set<number>();
      for (let round = 0; round < 1000; round += 1) {
        const message = Buffer.from(`message ${round}`);
        const signature = await signer.sign(message);
        lengths.add(signature.length);
        expect(verify('sha256', message, importPublicKey(signer.publicKey) ?? '', signature)).toBe(true);
      }
      expect(lengths.size).toBeGreaterThan(2);
    } finally {
      session.close();
    }
  });
});
