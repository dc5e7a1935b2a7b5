import { createHash } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';
import { issueDeviceCertificates } from '../../../src/issue-devices.ts';
import { openAuthority } from '../../../src/authority-directory.ts';
import { unlock } from '../../../src/authority-keys.ts';

/**
 * Issues a certificate for each request and says so on stdout once it has it (`after`) or, wrongly, `before` that.
 * Does all of it twice, so that the second time must say what the first said. Ends as a power cut would end it.
 */
const [directory = '', requests = '', when = 'after'] = process.argv.slice(2);
const now = new Date();
const authority = await openAuthority(directory, now);
const password = Buffer.from('correct horse battery staple');
const signing = await unlock(authority, password, (keys) => keys.authority('device'));
const by = { station: null, officer: 'test', now };

const say = (record: object) => writeSync(1, `${JSON.stringify(record)}\n`);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

for (const line of [1, 2].flatMap(() => readFileSync(requests, 'utf8').split('\n'))) {
  const request = Buffer.from(line, 'base64');
  if (when === 'before') say({ csr: sha256(request), certificate: 'promised' });
  const [issued] = await issueDeviceCertificates(authority, signing, [request], by);
  if (issued && when === 'after') say({ csr: sha256(request), certificate: sha256(issued.der) });
}
process.kill(process.pid, 'SIGKILL');
