import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { verifyCertificate, verifyChain } from '../src/certificate.ts';
import { verifyCsr } from '../src/csr/verify.ts';
import { verifyCsrs } from '../src/csr/verify-many.ts';
import { type UnitOnRecord, verifyUnits } from '../src/verify-units.ts';
import { goodUnit, makeCa } from '../test/certificate/certificates.ts';
import { speed } from './openssl.ts';

/*
 * What it costs to verify, beside what `openssl speed` does on one core, turn by turn in one run: by the clock on the
 * wall, which other work on the machine and the other cores change, and by the time of the cores alone. Medians;
 * nothing is asserted, because the machine may be busy.
 */

const rounds = 7;
const count = 10_000;
const ca = makeCa();
const chain = verifyChain([ca.der]);
const units = Array.from({ length: count }, (_, at) =>
  goodUnit(ca, (at + 1).toString(16).toUpperCase().padStart(8, '0')),
);
const requests = units.map(({ csr }) => csr);

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** What is done `count` times, and how many signatures each takes. */
const pieces = [
  ['a request, one core', 1, () => requests.forEach(verifyCsr)],
  ['a request, every core', 1, () => verifyCsrs(requests)],
  ['a certificate, the issuer known, one core', 1, () => units.forEach(onOneCore)],
  ['a unit: request and certificate, every core', 2, () => verifyUnits(units, chain)],
] as const;

function onOneCore({ certificate, csr }: UnitOnRecord): void {
  verifyCertificate(certificate, csr, chain);
}

/** Verified signatures in a second, by either clock. */
async function rates(signatures: number, work: () => unknown): Promise<{ wall: number; core: number }> {
  const [from, before] = [performance.now(), process.cpuUsage()];
  await work();
  const [wall, { user, system }] = [performance.now() - from, process.cpuUsage(before)];
  const done = count * signatures;
  return { wall: (done * 1e3) / wall, core: (done * 1e6) / (user + system) };
}

const limits = { wall: [] as number[], core: [] as number[] };
const measured = pieces.map(() => ({ wall: [] as number[], core: [] as number[] }));
for (let round = 0; round < rounds; round += 1) {
  for (const clock of ['wall', 'core'] as const) limits[clock].push(speed(clock).verify);
  for (const [at, [, signatures, work]] of pieces.entries()) {
    const { wall, core } = await rates(signatures, work);
    measured[at]?.wall.push(wall);
    measured[at]?.core.push(core);
  }
}

const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
const [wall, core] = [median(limits.wall), median(limits.core)];
process.stdout.write(`${count} units, ${availableParallelism()} cores, ${cpu}\n`);
process.stdout.write(
  `openssl speed: verify ${wall.toFixed(0)}/s by the wall, ${core.toFixed(0)}/s by the core\n`,
);
for (const [at, [name, signatures]] of pieces.entries()) {
  const own = { wall: median(measured[at]?.wall ?? []), core: median(measured[at]?.core ?? []) };
  const rate = `${(own.wall / signatures).toFixed(0).padStart(6)}/s`;
  const ratios = `x${(own.wall / wall).toFixed(2)} of it by the wall, x${(own.core / core).toFixed(2)} by the core`;
  process.stdout.write(`${name.padEnd(48)} ${rate}  ${ratios}\n`);
}
process.stdout.write(`most memory at any time: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB\n`);
