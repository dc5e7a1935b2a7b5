import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LinesideError } from '../../src/errors.ts';
import type { Session } from '../session.ts';

/** The main job, step by step, with what judges it. Throws if any step does not end as it should. */
export async function playDemo(
  session: Session,
  workshop: string,
  station: string,
  ports: readonly number[],
): Promise<void> {
  const probes = ports.map((port, index) => `${'abc'[index]}=sim:${port}`);
  const firmware = join(workshop, 'firmware.bin');
  await writeFile(firmware, demoFirmware());

  const lineside = (...args: string[]) =>
    step(session, 'lineside', [session.program.node, session.program.entry], args);
  await lineside(
    'init',
    station,
    '--name',
    'st07',
    '--chip',
    'nrf52840',
    '--lease',
    'ABCD1234-ABCD1333',
    '--probe',
    ...probes,
  );
  await lineside('--station', station, 'provision', '--firmware', firmware);
  await lineside('--station', station, 'registry', 'list');
  await lineside('--station', station, 'inspect', '--probe', 'a');

  session.ui.say('', 'An independent judge on every certificate request:');
  const listed = await quiet(session, '--json', '--station', station, 'registry', 'list');
  await mkdir(join(workshop, 'csr'));
  for (const line of listed.trim().split('\n')) {
    const { id, csr } = JSON.parse(line) as { id: string; csr: string };
    const path = join(workshop, 'csr', `${id}.pem`);
    await writeFile(path, csr);
    await step(session, 'openssl', ['openssl'], ['req', '-in', path, '-verify', '-noout', '-subject']);
  }
  session.ui.say('', 'Three boards have an identity; their keys are in their flash and nowhere else.');
}

/** Shows a command as typed, then what it prints. */
async function step({ ui }: Session, name: string, [file = '', ...prefix]: string[], args: string[]) {
  ui.say('', `$ ${[name, ...args].join(' ')}`);
  const { exitCode } = await execa(file, [...prefix, ...args], { stdio: 'inherit', reject: false });
  if (exitCode !== 0) throw new LinesideError('demo-stopped', { step: name, code: exitCode ?? 'none' });
}

async function quiet(session: Session, ...args: string[]): Promise<string> {
  return (await execa(session.program.node, [session.program.entry, ...args])).stdout;
}

/** Something to program: a vector table (initial stack pointer, reset vector) and a loop to itself. */
function demoFirmware(): Uint8Array {
  const image = Buffer.alloc(8 * 1024, 0xa5);
  image.writeUInt32LE(0x20040000, 0);
  image.writeUInt32LE(0x00000101, 4);
  image.writeUInt16LE(0xe7fe, 0x100);
  return image;
}
