import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { trustAuthority } from '../src/trusted-authority.ts';
import { exportBatch } from '../src/export-batch.ts';
import { importBatch } from '../src/import-batch.ts';
import type { Registry } from '../src/registry/registry.ts';
import { openStation } from '../src/station-directory.ts';
import { type Answer, answer, ofDevice, type OpensslCa, opensslCa } from './support/openssl-ca.ts';
import { stationWithUnits } from './support/verified-units.ts';

/*
 * What a station takes from its CA, and what not. One station sends two requests; every test answers a copy of it.
 */

let workshop: string;
let ca: OpensslCa;
let requests: readonly string[];
/** A good certificate for each of them. */
let certificates: readonly string[];
let answers: string;

beforeAll(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'lineside-import-'));
  ca = await opensslCa(join(workshop, 'ca'));
  const directory = join(workshop, 'st07');
  await stationWithUnits(directory, 2);
  const station = await openStation(directory);
  await trustAuthority(station.registry, ca.signer.verifier, 'first');
  answers = (await exportBatch(directory, station, join(workshop, 'out'), 'next')).sha256;
  await station.registry.close();
  requests = blocks(await readFile(join(workshop, 'out', 'requests.pem'), 'utf8'));
  certificates = [await ca.sign(requests[0] ?? ''), await ca.sign(requests[1] ?? '')];
  return () => rm(workshop, { recursive: true });
});

const blocks = (pem: string) => pem.match(/-----BEGIN[^]*?-----END[^\n]*\n/g) ?? [];

/** A copy of the station that waits for its answer. */
async function waiting() {
  const directory = await mkdtemp(join(workshop, 'copy-'));
  await cp(join(workshop, 'st07'), directory, { recursive: true });
  const station = await openStation(directory);
  onTestFinished(() => station.registry.close());
  return { station, at: join(directory, 'in') };
}

/** All that a refusal must not change. */
async function onRecord(registry: Registry): Promise<unknown> {
  const units = [];
  for await (const unit of registry.units({})) units.push(unit);
  return { units, log: await registry.logPosition(), last: await registry.lastBatch('in') };
}

type Bad = [make: () => Promise<{ readonly certificates?: string } & Answer>, code: string, name?: string];

/** A good certificate for the first device, and this one for the second. */
const second = async (pem: Promise<string>) => ({ certificates: `${certificates[0]}${await pem}` });
const signed = (from: string, to: string) => second(ca.sign(requests[1] ?? '', ofDevice.replace(from, to)));

describe('of an answer in which one thing is wrong a station takes nothing:', () => {
  const bad: Record<string, Bad> = {
    'for another station': [async () => ({ station: 'st08' }), 'batch-refused', 'station'],
    'from another CA': [async () => ({ authority: 'acme-ca+00000000' }), 'batch-refused', 'authority'],
    'after one that is missing': [async () => ({ sequence: 2 }), 'batch-refused', 'gap'],
    'after another one': [async () => ({ previous: 'a'.repeat(64) }), 'batch-tampered', 'previous'],
    'to other requests': [async () => ({ answers: 'b'.repeat(64) }), 'batch-refused', 'answers'],
    'words among the certificates': [() => second(Promise.resolve('second:\n')), 'batch-refused', 'pem'],
    'requests for certificates': [async () => ({ certificates: requests.join('') }), 'batch-refused', 'pem'],
    'a certificate revocation list that is none': [
      async () => ({ files: { 'crl.pem': ca.chain } }),
      'batch-refused',
      'pem',
    ],
    'a chain without its root': [
      async () => ({ files: { 'chain.pem': blocks(ca.chain)[0] ?? '' } }),
      'certificate-refused',
      'chain',
    ],
    'a chain in the wrong order': [
      async () => ({ files: { 'chain.pem': blocks(ca.chain).toReversed().join('') } }),
      'certificate-refused',
      'chain',
    ],
    'no chain': [async () => ({ files: { 'chain.pem': '' } }), 'certificate-refused', 'chain'],
    'the chain of another CA': [
      async () => ({ files: { 'chain.pem': ca.anchors } }),
      'certificate-refused',
      'issuer',
    ],
    'a device for an anchor': [
      async () => ({ files: { 'anchors.pem': certificates[0] ?? '' } }),
      'certificate-refused',
      'anchor',
    ],
    'more anchors than a device has room for': [
      async () => ({ files: { 'anchors.pem': ca.anchors.repeat(9) } }),
      'certificate-refused',
      'anchor',
    ],
    'no anchor in the file for them': [
      async () => ({ files: { 'anchors.pem': '' } }),
      'certificate-refused',
      'anchor',
    ],
    'a certificate of a server': [() => signed('clientAuth', 'serverAuth'), 'certificate-refused', 'purpose'],
    'a certificate for more than one purpose': [
      () => signed('clientAuth', 'clientAuth,serverAuth'),
      'certificate-refused',
      'purpose',
    ],
    'a certificate for every purpose': [
      () => signed('extendedKeyUsage=clientAuth\n', ''),
      'certificate-refused',
      'purpose',
    ],
    'a CA certificate that may not sign': [
      () => signed('CA:FALSE', 'CA:TRUE'),
      'certificate-refused',
      'constraints',
    ],
    'a certificate that is silent on being a CA': [
      () => signed('basicConstraints=critical,CA:FALSE\n', ''),
      'certificate-refused',
      'constraints',
    ],
    'a certificate that may sign others': [
      () => signed('digitalSignature', 'digitalSignature,keyCertSign'),
      'certificate-refused',
      'usage',
    ],
    'a key usage that may be passed over': [
      () => signed('keyUsage=critical,', 'keyUsage='),
      'certificate-refused',
      'usage',
    ],
    'a certificate of a device for another key': [
      () => second(ca.sign(foreignRequest('/CN=00000002/serialNumber=00000002'))),
      'certificate-refused',
      'key',
    ],
    'a certificate with another type of text in its subject': [
      () => second(ca.sign(foreignRequest('/CN=00000002/serialNumber=00000002', 'string_mask=utf8only'))),
      'certificate-refused',
      'unknown-device',
    ],
    'a certificate for a device of another station': [
      () => second(ca.sign(foreignRequest('/CN=0000ABCD/serialNumber=0000ABCD'))),
      'certificate-refused',
      'unknown-device',
    ],
    'a certificate for no device': [
      () => second(ca.sign(foreignRequest('/CN=router'))),
      'certificate-refused',
      'unknown-device',
    ],
    'a second, other certificate for a device': [
      () => second(ca.sign(requests[0] ?? '')),
      'certificate-differs',
    ],
  };

  test.each(Object.entries(bad))('%s', async (_, [make, code, name]) => {
    const { station, at } = await waiting();
    const { certificates: wrong, ...change } = await make();
    await answer(ca, at, wrong ?? certificates.join(''), { answers, ...change });
    const before = await onRecord(station.registry);
    const refusal = { code, ...(name && { facts: { name } }) };
    await expect(importBatch(station, at)).rejects.toMatchObject(refusal);
    expect(await onRecord(station.registry)).toEqual(before);

    await answer(ca, `${at}-good`, certificates.join(''), { answers });
    expect(await importBatch(station, `${at}-good`)).toMatchObject({ units: ['00000001', '00000002'] }); // control
  });
});

test('a batch of any other CA is not opened, whatever it says it is', async () => {
  const { station, at } = await waiting();
  const other = await opensslCa(join(workshop, 'other'));
  const authority = `acme-ca+${ca.signer.verifier.hash}`;
  await answer(other, at, certificates.join(''), { answers, authority });
  await expect(importBatch(station, at)).rejects.toMatchObject({ facts: { name: 'unknown-signer' } });
});

test('another batch under the number of the last is evidence, an earlier one a replay', async () => {
  const { station, at } = await waiting();
  const first = await answer(ca, at, certificates[0] ?? '', { answers });
  await importBatch(station, at);
  await answer(ca, `${at}-fork`, certificates[1] ?? '', { answers });
  await expect(importBatch(station, `${at}-fork`)).rejects.toMatchObject({
    exit: 7,
    facts: { name: 'fork' },
  });
  await answer(ca, `${at}-2`, certificates.join(''), { answers, sequence: 2, previous: first });
  expect(await importBatch(station, `${at}-2`)).toMatchObject({ result: 'imported', units: ['00000002'] });
  await expect(importBatch(station, at)).rejects.toMatchObject({ exit: 8, facts: { name: 'replay' } });
});

function foreignRequest(subject: string, option = 'string_mask=default'): string {
  const config = join(workshop, 'request.cnf');
  writeFileSync(config, `[req]\ndistinguished_name=dn\n${option}\n[dn]\n`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', '/dev/null'];
  const args = ['req', '-new', ...key, '-subj', subject, '-config', config];
  return execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
}
