import { createECDH } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifyCsr } from '../../src/csr/verify.ts';
import { boards, identityOn, lineside, records, station } from '../support/program.ts';

test('three boards get consecutive ids, and each page carries the key of its CSR', async () => {
  const line = await boards([], [], []);
  const directory = await station(line);
  const run = await lineside(['--json', '--station', directory, 'provision']);
  expect(run).toMatchObject({ code: 0 });
  expect(records(run.stdout)).toHaveLength(3);

  const listed = records((await lineside(['--json', '--station', directory, 'registry', 'list'])).stdout);
  expect(listed.map((unit) => unit['id'])).toEqual(['00000001', '00000002', '00000003']);
  for (const board of line) {
    const { id, publicKey, privateKey } = identityOn(board);
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(privateKey);
    expect(pair.getPublicKey().equals(publicKey)).toBe(true);

    const unit = listed.find((each) => each['id'] === id);
    expect(unit).toMatchObject({ state: 'verified', proof: 'read-back' });
    const pem = String(unit?.['csr']);
    const csr = verifyCsr(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
    expect(Buffer.from(csr.publicKey).equals(publicKey)).toBe(true);
    expect(csr.spkiSha256).toBe(unit?.['spkiSha256']);
  }
});
