import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueCrl, revoke } from '../src/authority.ts';
import type { Authority } from '../src/ca/authority.ts';
import { createAuthority, openAuthority } from '../src/authority-directory.ts';
import { unlock } from '../src/authority-keys.ts';
import { issueDeviceCertificates } from '../src/issue-devices.ts';
import { assemble, goodParts } from '../test/csr/bad-requests.ts';
import { speed } from './openssl.ts';

/*
 * What a certificate costs: lineside (verify, sign, record durably) beside `openssl ca` and `openssl x509 -req` on the
 * same requests, and beside what one verify and one sign of `openssl speed` would allow, turn by turn in one run.
 * Medians of five rounds; nothing is asserted, because the machine may be busy.
 */

const rounds = 5;
const count = 10_000;
const workshop = mkdtempSync(join(tmpdir(), 'lineside-bench-ca-'));
const requests = Array.from({ length: count }, (_, at) =>
  assemble(goodParts((at + 1).toString(16).toUpperCase().padStart(8, '0'))),
);
const files = requests.map((der, at) => {
  const path = join(workshop, `${at}.csr`);
  const base64 = der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n');
  writeFileSync(path, `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`);
  return path;
});

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function perSecond(times: number, work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return (times * 1000) / (performance.now() - from);
}

const openssl = (...args: readonly string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'], cwd: workshop });

function prepareOpenssl(): void {
  const config = `[ca]
default_ca = own
[own]
database = ${workshop}/index.txt
new_certs_dir = ${workshop}/new
certificate = ${workshop}/ca.crt
private_key = ${workshop}/ca.key
rand_serial = yes
default_md = sha256
default_days = 3650
unique_subject = no
policy = any
x509_extensions = leaf
[any]
commonName = supplied
serialNumber = supplied
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
`;
  writeFileSync(join(workshop, 'ca.cnf'), config);
  mkdirSync(join(workshop, 'new'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key'];
  openssl('req', '-x509', ...key, '-out', 'ca.crt', '-subj', '/CN=bench', '-days', '3650');
}

function opensslCa(): void {
  writeFileSync(join(workshop, 'index.txt'), '');
  openssl('ca', '-config', 'ca.cnf', '-batch', '-notext', '-out', 'all.pem', '-infiles', ...files);
}

function opensslX509(): void {
  for (const file of files.slice(0, 20))
    openssl('x509', '-req', '-in', file, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-out', 'one.crt');
}

/** One verify and one sign on one core. */
function limit(): number {
  const { sign, verify } = speed('wall');
  return 1 / (1 / sign + 1 / verify);
}

const password = Buffer.from('correct horse battery staple');
const keys = { kind: 'file', passwords: 1 } as const;
const file = { name: 'Bench', profile: 'default', validDays: null, structure: 'roots', keys } as const;

/** A new CA each time, so that nothing was certified before. */
async function lineside(round: number, batch: number): Promise<number> {
  const directory = join(workshop, `ca-${round}-${batch}`);
  const now = new Date();
  await createAuthority(directory, file, password, now);
  const authority = await openAuthority(directory, now);
  const signing = await unlock(authority, password, (keys) => keys.authority('device'));
  const by = { station: null, officer: 'bench', now };
  const rate = await perSecond(count, async () => {
    for (let at = 0; at < count; at += batch)
      await issueDeviceCertificates(authority, signing, requests.slice(at, at + batch), by);
  });
  if (batch === count && round === 0) crl.push(await crlOf(authority, signing, by));
  await authority.ledger.close();
  return rate;
}

async function crlOf(...[authority, signing, by]: Parameters<typeof issueOf>): Promise<number> {
  for (let id = 1; id <= count; id += 1)
    await revoke(authority, id.toString(16).toUpperCase().padStart(8, '0'), 'superseded', by);
  const from = performance.now();
  await issueCrl(authority, signing, 'device', 30, by);
  return performance.now() - from;
}

const issueOf = (
  authority: Awaited<ReturnType<typeof openAuthority>>,
  signing: Authority,
  by: Parameters<typeof issueDeviceCertificates>[3],
) => issueDeviceCertificates(authority, signing, [], by);

const crl: number[] = [];
const rates = { limit: [], whole: [], single: [], ca: [], x509: [] } as Record<string, number[]>;
prepareOpenssl();
for (let round = 0; round < rounds; round += 1) {
  rates['limit']?.push(limit());
  rates['whole']?.push(await lineside(round, count));
  rates['ca']?.push(await perSecond(count, opensslCa));
  rates['single']?.push(await lineside(round, 1));
  rates['x509']?.push(await perSecond(20, opensslX509));
}
const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
rmSync(workshop, { recursive: true });

const base = median(rates['limit'] ?? []);
const ca = median(rates['ca'] ?? []);
process.stdout.write(`${count} requests, one thread, ${cpu}\n`);
for (const [name, text] of [
  ['limit', 'openssl speed: one verify and one sign'],
  ['whole', 'lineside, all in one transaction'],
  ['single', 'lineside, one transaction each, on the disk'],
  ['ca', 'openssl ca -batch, one process, nothing synced'],
  ['x509', 'openssl x509 -req, a process each'],
] as const) {
  const rate = median(rates[name] ?? []);
  const ratios = `x${(rate / base).toFixed(2)} of the limit, x${(rate / ca).toFixed(2)} of openssl ca`;
  process.stdout.write(`${text.padEnd(48)} ${rate.toFixed(0).padStart(7)}/s  ${ratios}\n`);
}
process.stdout.write(`a CRL of ${count} entries, signed and recorded: ${median(crl).toFixed(0)} ms\n`);
process.stdout.write(`most memory at any time: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB\n`);
