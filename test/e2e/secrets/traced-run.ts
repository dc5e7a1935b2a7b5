import { createECDH } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChipName } from '../../../sim/board.ts';
import { keyForms } from '../../support/key-forms.ts';
import { KeyScanner } from '../../support/key-scanner.ts';
import { boardsWith, type Ended, identityPageOn, lineside, scratch, station } from '../../support/program.ts';
import { bytesByTarget, strace, type SystemCall, systemCalls } from '../../support/system-calls.ts';

/** A way for a run to go. */
export interface Scenario {
  readonly title: string;
  readonly chip: ChipName;
  readonly faults: readonly string[];
  readonly options: readonly string[];
  readonly exit: number;
  /** How many words of the key reach the probe. */
  readonly wordsSent: number;
}

/** What a run did, seen from outside: its board is simulated in this process, which is not traced. */
export interface TracedRun {
  readonly ended: Ended;
  readonly directory: string;
  /** Where the probe listens. */
  readonly port: number;
  readonly calls: readonly SystemCall[];
  readonly key: Buffer;
  /** The start of the identity page as it lay in flash after the run. */
  readonly page: Buffer;
  /** The station directory after the run. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const runs = new Map<Scenario, Promise<TracedRun>>();

/** Runs the scenario, once for all tests. */
export function traced(scenario: Scenario): Promise<TracedRun> {
  const run = runs.get(scenario) ?? runTraced(scenario);
  runs.set(scenario, run);
  return run;
}

async function runTraced({ chip, faults, options }: Scenario): Promise<TracedRun> {
  const [board] = await boardsWith(chip, faults);
  if (!board) throw new Error('a board was asked for');
  const directory = await station([board]);
  const traces = join(await scratch(), 'traces');
  await mkdir(traces);
  const firmware = join(await scratch(), 'firmware.bin');
  await writeFile(firmware, firmwareImage());
  const words = options.map((word) => (word === 'FIRMWARE' ? firmware : word));
  const ended = await lineside(['--station', directory, ...words], strace(traces));
  const calls = await systemCalls(traces);
  const names = await readdir(directory);
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(directory, name))] as const),
  );
  const page = identityPageOn(board);
  return { ended, directory, port: board.port, calls, key: keySent(calls), page, files: new Map(files) };
}

/** The pipe on which one process sends what OpenOCD reads as its commands. */
export function openOcdStdin(calls: readonly SystemCall[]): string {
  const sent = [...bytesByTarget(calls)].filter(([, bytes]) => bytes.includes('proc lineside_write'));
  const [pipe] = sent[0] ?? [];
  if (pipe === undefined || sent.length > 1) throw new Error('one pipe carries the script');
  return pipe;
}

/** What was given the key, in one call or in many. */
export function holders(calls: readonly SystemCall[], key: Buffer): string[] {
  const scanner = new KeyScanner().add('key', keyForms(key));
  const holding = [...bytesByTarget(calls)].filter(([, bytes]) => scanner.search(bytes).size > 0);
  return holding.map(([target]) => target).sort();
}

/** The private key in the script that OpenOCD was sent: a board that fails may never have got it. */
function keySent(calls: readonly SystemCall[]): Buffer {
  const script = bytesByTarget(calls).get(openOcdStdin(calls))?.toString('latin1') ?? '';
  const words =
    /proc lineside_write .*?foreach word \{([^}]*)\}/s.exec(script)?.[1]?.trim().split(/\s+/) ?? [];
  const page = Buffer.alloc(4 + words.length * 4);
  words.forEach((word, index) => page.writeUInt32LE(Number(word), 4 + index * 4));
  const key = page.subarray(104, 136);
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(key);
  if (!pair.getPublicKey().equals(page.subarray(32, 97))) throw new Error('the script carries no key pair');
  return key;
}

/** A vector table and some code: 4 KiB. */
function firmwareImage(): Buffer {
  const image = Buffer.alloc(4096, 0xbf);
  image.writeUInt32LE(0x20040000, 0);
  image.writeUInt32LE(0x00000101, 4);
  return image;
}
