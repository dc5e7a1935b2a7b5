import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encryptKey } from '../../src/ca/encrypted-key.ts';
import { createKeyFile, createPlainKeyFile, openKeyFile } from '../../src/ca/key-file.ts';
import { jointPassword, mustBeGoodPassword } from '../../src/ca/password.ts';
import { importPublicKey, subjectPublicKeyInfo } from '../../src/public-key.ts';
import { scratch } from '../support/program.ts';

const password = Buffer.from('correct horse battery staple');
const message = Buffer.from('to be signed');

async function newFile() {
  const path = join(await scratch(), 'device-ca.key');
  return { path, signer: await createKeyFile(path, password) };
}

function opensslReads(path: string, pass: string) {
  return spawnSync('openssl', ['pkey', '-in', path, '-passin', 'stdin', '-pubout', '-outform', 'der'], {
    input: `${pass}\n`,
  });
}

test('a key file signs again after it was closed, with the key it was made with', async () => {
  const { path, signer } = await newFile();
  const again = await openKeyFile(path, password);
  expect(again.publicKey).toEqual(signer.publicKey);
  const key = importPublicKey(signer.publicKey);
  expect(key && verify('sha256', message, key, await again.sign(message))).toBe(true);
});

test('a key file is for its owner alone, and PBES2 with PBKDF2-HMAC-SHA256, 600,000 and AES-256-CBC', async () => {
  const { path } = await newFile();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const parsed = execFileSync('openssl', ['asn1parse', '-in', path]).toString();
  const salt = /:[0-9A-F]{32}$/gm;
  expect([...parsed.matchAll(/OBJECT +:(.+)|INTEGER +:(.+)/g)].map((match) => match[1] ?? match[2])).toEqual([
    'PBES2',
    'PBKDF2',
    '0927C0', // 600,000
    'hmacWithSHA256',
    'aes-256-cbc',
  ]);
  expect(new Set(parsed.match(salt))).toHaveLength(2);
  expect(parsed.match(salt)).not.toEqual(
    execFileSync('openssl', ['asn1parse', '-in', (await newFile()).path])
      .toString()
      .match(salt),
  );
});

test('openssl reads a key file with its password, and not with another', async () => {
  const { path, signer } = await newFile();
  const read = opensslReads(path, password.toString());
  expect(read.stdout).toEqual(Buffer.from(subjectPublicKeyInfo(signer.publicKey)));
  expect(opensslReads(path, 'correct horse battery stable').status).not.toBe(0);
});

test('a wrong password is called a wrong password, also when its padding happens to be right', async () => {
  const { path } = await newFile();
  for (let guess = 0; guess < 6; guess += 1) {
    await expect(openKeyFile(path, Buffer.from(`wrong password ${guess}`))).rejects.toMatchObject({
      code: 'wrong-password',
    });
  }
});

test('a key file is never written over', async () => {
  const { path } = await newFile();
  const before = await readFile(path, 'utf8');
  await expect(createKeyFile(path, password)).rejects.toMatchObject({ code: 'file-exists' });
  await expect(createPlainKeyFile(path)).rejects.toMatchObject({ code: 'file-exists' });
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('a missing key file is not a wrong password', async () => {
  await expect(openKeyFile(join(await scratch(), 'none'), password)).rejects.toMatchObject({
    code: 'key-unreadable',
  });
});

test('a key that lies there unencrypted is refused', async () => {
  const path = join(await scratch(), 'plain.key');
  await createPlainKeyFile(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(openKeyFile(path, password)).rejects.toMatchObject({ code: 'key-invalid' });
});

test('a key of another curve is refused', async () => {
  const path = join(await scratch(), 'p384.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const der = encryptKey(privateKey.export({ format: 'der', type: 'pkcs8' }), password);
  await writeFile(path, pemOf(der));
  expect(opensslReads(path, password.toString()).status).toBe(0);
  await expect(openKeyFile(path, password)).rejects.toMatchObject({ code: 'key-invalid' });
});

test('the key of a broker is what its public point says', async () => {
  const path = join(await scratch(), 'broker.key');
  const point = await createPlainKeyFile(path);
  const spki = createPublicKey(await readFile(path)).export({ format: 'der', type: 'spki' });
  expect(spki).toEqual(Buffer.from(subjectPublicKeyInfo(point)));
});

test('two persons open a key only together and in order, and openssl opens it with a line of shell', async () => {
  const path = join(await scratch(), 'device-ca.key');
  const joint = (first: string, second: string) => jointPassword(Buffer.from(first), Buffer.from(second));
  const { publicKey } = await createKeyFile(path, joint('first person', 'second person'));
  expect((await openKeyFile(path, joint('first person', 'second person'))).publicKey).toEqual(publicKey);
  for (const wrong of [
    joint('second person', 'first person'),
    joint('first person', ''),
    joint('first personsecond', ' person'),
    Buffer.from('first person'),
    Buffer.from('second person'),
  ])
    await expect(openKeyFile(path, wrong)).rejects.toMatchObject({ code: 'wrong-password' });
  const hash = 'openssl dgst -sha256 -binary';
  const shell = `{ printf %s "$1" | ${hash}; printf %s "$2" | ${hash}; } | ${hash} | od -An -v -tx1 | tr -d ' \\n'`;
  const line = execFileSync('sh', ['-c', shell, 'sh', 'first person', 'second person']).toString();
  expect(opensslReads(path, line).status).toBe(0);
});

test('the two passwords are wiped when they have been joined', () => {
  const [first, second] = [Buffer.from('first person'), Buffer.from('second person')];
  jointPassword(first, second);
  expect([...first, ...second].every((byte) => byte === 0)).toBe(true);
});

test.each([0, 11, 513])('a new password of %i bytes is refused', (length) => {
  expect(() => mustBeGoodPassword(Buffer.alloc(length, 'x'))).toThrow('fewer than 12 or more than 512');
});

test.each([12, 512])('a new password of %i bytes is accepted', (length) => {
  expect(() => mustBeGoodPassword(Buffer.alloc(length, 'x'))).not.toThrow();
});

function pemOf(der: Uint8Array): string {
  const base64 = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${base64}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}
