import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { LinesideError } from '../../src/errors.ts';
import type { Session } from '../session.ts';

/** Where the demo is played: everything is typed in this directory. */
interface Stage {
  readonly session: Session;
  readonly workshop: string;
}

/** The main job, step by step, with what judges it. Throws if any step does not end as it should. */
export async function playDemo(
  session: Session,
  workshop: string,
  directory: string,
  ports: readonly number[],
): Promise<void> {
  const stage = { session, workshop };
  const station = dirname(directory) === workshop ? basename(directory) : resolve(directory);
  const own = [session.program.node, session.program.entry];
  const lineside = (...args: string[]) => step(stage, 'lineside', own, args);
  const onStation = (...args: string[]) => lineside('--station', station, ...args);
  const onCa = (...args: string[]) => lineside('ca', '--ca', 'acme', ...args);
  const probes = ports.map((port, index) => `${'abc'[index]}=sim:${port}`);
  const lease = 'ABCD1234-ABCD1333';
  await writeFile(join(workshop, 'firmware.bin'), demoFirmware());
  await writeFile(join(workshop, 'password'), `${randomBytes(16).toString('hex')}\n`);
  const password = ['--password-file', 'password'];

  chapter(session, 'A station and a CA, which compare their keys; the CA leases ids to the station.');
  await lineside(
    'init',
    station,
    '--name',
    'st07',
    '--chip',
    'nrf52840',
    '--lease',
    lease,
    '--probe',
    ...probes,
  );
  await lineside('ca', 'init', 'acme', '--name', 'Acme', ...password);
  const { exchange } = await told<{ exchange: { fingerprint: string } }>(stage, 'ca', '--ca', 'acme', 'show');
  await onStation('trust', 'acme', '--fingerprint', exchange.fingerprint);
  const known = await told<{ fingerprint: string }>(stage, 'ca', '--ca', 'acme', 'trust', station);
  await onCa('trust', station, '--fingerprint', known.fingerprint);
  await onCa('lease', 'st07', lease, '--out', 'lease', ...password);

  chapter(
    session,
    'Three boards get an identity. Their keys are made here, and are then in their flash and nowhere else.',
  );
  await onStation('provision', '--firmware', 'firmware.bin');
  await onStation('inspect', '--probe', 'a');
  await judgeRequests(stage, station);

  chapter(session, 'Their requests go to the CA by stick, and come back as certificates.');
  await onStation('export', 'requests');
  await onCa('sign', 'requests', '--out', 'answer', ...password);
  await onStation('import', 'answer');
  for (const probe of ['a', 'b', 'c']) await onStation('install', '--probe', probe);
  const chain = ['-x509_strict', '-purpose', 'sslclient', '-CAfile', 'acme/device-ca.crt'];
  await step(stage, 'openssl', ['openssl'], ['verify', ...chain, 'answer/certificates.pem']);

  chapter(session, 'Everything that happened can be proven.');
  await onStation('log', 'verify');
  await onStation('registry', 'audit');
  await onStation('registry', 'list');
  session.ui.say('', 'Three boards have an identity and a certificate, and every step is on record.');
}

/** openssl shares no code with what made the requests. */
async function judgeRequests(stage: Stage, station: string): Promise<void> {
  const listed = await quiet(stage, '--json', '--station', station, 'registry', 'list');
  for (const line of listed.trim().split('\n')) {
    const { id, csr } = JSON.parse(line) as { id: string; csr: string };
    await writeFile(join(stage.workshop, `${id}.csr`), csr);
    await step(stage, 'openssl', ['openssl'], ['req', '-in', `${id}.csr`, '-verify', '-noout', '-subject']);
  }
}

function chapter({ ui }: Session, words: string): void {
  ui.say('', `# ${words}`);
}

/** Shows a command as typed, then what it prints. */
async function step(
  { session, workshop: cwd }: Stage,
  name: string,
  [file = '', ...prefix]: string[],
  args: string[],
) {
  session.ui.say('', `$ ${[name, ...args.map(quoted)].join(' ')}`);
  const { exitCode } = await execa(file, [...prefix, ...args], { cwd, stdio: 'inherit', reject: false });
  if (exitCode !== 0) throw new LinesideError('demo-stopped', { step: name, code: exitCode ?? 'none' });
}

function quoted(word: string): string {
  return word.includes(' ') ? `'${word}'` : word;
}

async function quiet({ session, workshop: cwd }: Stage, ...args: string[]): Promise<string> {
  return (await execa(session.program.node, [session.program.entry, ...args], { cwd })).stdout;
}

/** The one record that a command prints. */
async function told<T>(stage: Stage, ...args: string[]): Promise<T> {
  return JSON.parse(await quiet(stage, '--json', ...args)) as T;
}

/** Something to program: a vector table (initial stack pointer, reset vector) and a loop to itself. */
function demoFirmware(): Uint8Array {
  const image = Buffer.alloc(8 * 1024, 0xa5);
  image.writeUInt32LE(0x20040000, 0);
  image.writeUInt32LE(0x00000101, 4);
  image.writeUInt16LE(0xe7fe, 0x100);
  return image;
}
