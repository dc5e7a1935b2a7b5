import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DeviceId, parseDeviceId } from '../../src/device.ts';
import { LinesideError } from '../../src/errors.ts';
import type { Query } from '../../src/log-search.ts';
import type { Outcome, Refusal, Watch } from '../../src/log-verify.ts';
import type { Leaf } from '../../src/log/leaf.ts';
import type { Station } from '../../src/station-directory.ts';
import type { Session } from '../session.ts';

interface Elsewhere {
  readonly log?: string;
  readonly key?: string;
}

interface VerifyOptions extends Elsewhere {
  readonly since?: string;
  readonly keep?: string;
  readonly id?: DeviceId;
}

export function addLog(program: Command, session: Session): void {
  const log = program.command('log').description('the tamper-evident log of what the station did');
  log
    .command('verify')
    .description('prove that nothing in the log was changed, reordered or cut off')
    .option('--log <dir>', 'a log that "log export" wrote; without it the log in the station itself')
    .option('--key <file>', 'verifier key of the station, as it was given to you when it was made')
    .option('--since <file>', 'a checkpoint you kept: the log must extend it, and only what is new is read')
    .option('--keep <file>', 'keep the checkpoint there for the next time, if nothing is wrong')
    .addOption(new Option('--id <id>', 'show the entries of this device too').argParser(parseDeviceId))
    .action((options: VerifyOptions) => verify(options, session));
  log
    .command('show')
    .description('search the log; this proves nothing, "log verify" does')
    .option('--log <dir>', 'a log that "log export" wrote; without it the log in the station itself')
    .addOption(new Option('--id <id>', 'of this device').argParser(parseDeviceId))
    .option('--of <name>', 'of the station of this name')
    .option('--event <name>', 'of this kind, for example unit.verified, or unit for all of a unit')
    .addOption(new Option('--result <result>', 'units that passed, or failed').choices(['pass', 'fail']))
    .option('--from <time>', 'from then on, UTC: 2026-11-23, or 2026-11-23T14:00', parseTime)
    .option('--to <time>', 'up to then, included: 2026-11 is all of November', parseTime)
    .action((options: ShowOptions) => show(options, session));
  log
    .command('checkpoint')
    .description('sign how far the log goes, and print that')
    .action(() => atWork(session, (station) => checkpoint(station, session)));
  log
    .command('prove')
    .description('print a proof that the certificate request of a device is in the log')
    .argument('<id>', 'device id', parseDeviceId)
    .action((id: DeviceId) => atWork(session, (station) => prove(station, id, session)));
  log
    .command('export')
    .description('write the log to a stick, for QA and for the tools of others')
    .argument('<dir>', 'new directory')
    .option('--proofs', 'with a .tlog-proof for each certificate request')
    .action((target: string, options: { proofs?: true }) =>
      atWork(session, (station) => exportTo(station, target, options, session)),
    );
}

async function atWork({ station }: Session, act: (open: Station) => Promise<void>): Promise<void> {
  const { openStation } = await import('../../src/station-directory.ts');
  const open = await openStation(station);
  try {
    await act(open);
  } finally {
    await open.registry.close();
  }
}

async function verify(options: VerifyOptions, session: Session): Promise<void> {
  const { id, keep } = options;
  const watch: Watch = id === undefined ? () => {} : await printerOf({ id }, session);
  const outcome = await verified(options, session, watch);
  for (const { code, weight, what, means, facts } of outcome.findings) {
    const record = { type: 'finding', finding: code, weight, n: facts['n'] ?? null, what, means };
    session.ui.result(record, `${weight.padEnd(8)}  ${what}`, `          ${means}`);
  }
  const evidence = outcome.findings.filter(({ weight }) => weight === 'evidence');
  if (outcome.origin !== null) summarize(outcome, evidence.length, session);
  const [first] = evidence;
  if (first) throw new LinesideError('log-tampered', { count: evidence.length, first: first.code });
  if (keep !== undefined && outcome.origin !== null) await keepHead(keep, outcome);
}

function summarize(
  { origin, size, signed, known, head, history }: Outcome,
  findings: number,
  { ui }: Session,
): void {
  const result = findings === 0 ? 'intact' : 'tampered';
  const unsigned = Math.max(0, size - signed);
  const root = Buffer.from(head.root).toString('hex');
  const units = history.units.size;
  const record = { type: 'log', result, origin, size, signed, unsigned, known, units, root, findings };
  const read = known > 0 ? `, ${size - known} of them new` : '';
  ui.result(record, `${result}  ${origin}: ${size} entries${read}, ${units} units, root ${root}`);
  if (unsigned > 0) ui.say(`${unsigned} entries after the last checkpoint are signed by nobody yet`);
}

async function verified(
  options: VerifyOptions,
  { station }: Session,
  watch: Watch,
): Promise<Outcome | Refusal> {
  const { verifyExport, verifyStation } = await import('../../src/log-verify.ts');
  const { log, key, since } = options;
  if (log === undefined && key === undefined) return verifyStation(station, since, watch);
  if (log === undefined || key === undefined)
    throw new LinesideError('usage', {
      problem: '--log and --key go together: the key says whose log it must be',
    });
  const { readVerifierFile } = await import('../../src/verifier-file.ts');
  return verifyExport(log, await readVerifierFile(key, 'station.vkey'), since, watch);
}

async function keepHead(path: string, { head, history }: Outcome): Promise<void> {
  const { keepHead } = await import('../../src/kept-head.ts');
  await keepHead(path, head.note.toString(), head.root, history);
}

interface ShowOptions extends Query {
  readonly log?: string;
  readonly of?: string;
}

async function show({ log, of, ...query }: ShowOptions, session: Session): Promise<void> {
  const print = await printerOf({ ...query, ...(of === undefined ? {} : { station: of }) }, session);
  const { leavesIn, leavesOfStation } = await import('../../src/log-read.ts');
  const leaves = log === undefined ? leavesOfStation(session.station) : leavesIn(log);
  for await (const leaf of leaves) print(leaf);
}

/** Prints the entries that are looked for. */
async function printerOf(query: Query, { ui }: Session): Promise<Watch> {
  const { matching } = await import('../../src/log-search.ts');
  return (bytes) => {
    const leaf = matching(query, bytes);
    if (leaf === undefined) return;
    if (leaf !== 'unreadable') return ui.result({ type: 'entry', ...leaf }, lineOf(leaf));
    const text = Buffer.from(bytes).toString();
    ui.result({ type: 'unreadable', text }, `unreadable  ${text}`);
  };
}

/** What the writer adds to every entry is for verifying, and left out. */
const writerKeys = ['n', 't', 'ev', 'v', 'm', 'p', 'station', 'sw'];

function lineOf(leaf: Leaf): string {
  const said = Object.entries(leaf).filter(([key]) => !writerKeys.includes(key));
  const words = said.map(([key, value]) => `${key}=${value}`).join(' ');
  return `${String(leaf.n).padStart(7)}  ${leaf.t}  ${leaf.ev.padEnd(14)}  ${words}`;
}

async function checkpoint({ file, registry }: Station, { station, ui }: Session): Promise<void> {
  const { makeCheckpoint } = await import('../../src/station-log.ts');
  const { origin, size, root, note } = await makeCheckpoint(station, file, registry);
  const record = { type: 'checkpoint', origin, size, root: Buffer.from(root).toString('hex'), note };
  ui.result(record, ...linesOf(note));
}

async function prove({ file, registry }: Station, id: DeviceId, { station, ui }: Session): Promise<void> {
  const { proveRequest } = await import('../../src/station-log.ts');
  const proof = await proveRequest(station, file, registry, id);
  ui.result({ type: 'proof', id, proof }, ...linesOf(proof));
}

async function exportTo(
  open: Station,
  target: string,
  { proofs }: { readonly proofs?: true },
  { station, ui }: Session,
): Promise<void> {
  const { exportLog } = await import('../../src/export-log.ts');
  const { origin, size, root } = await exportLog(
    station,
    open,
    target,
    proofs ? 'with-proofs' : 'without-proofs',
  );
  const record = {
    type: 'log-export',
    directory: target,
    origin,
    size,
    root: Buffer.from(root).toString('hex'),
  };
  ui.result(record, `log ${origin} in ${target}: ${size} entries, root ${record.root}`);
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function parseTime(text: string): string {
  if (/^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{3})?)?)?)?)?)?Z?$/.test(text))
    return text.replace(/Z$/, '');
  throw new InvalidArgumentError('write 2026-11-23, or 2026-11-23T14:00');
}
