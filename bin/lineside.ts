#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { asLinesideError, errorTable, LinesideError, systemWords } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { addBroker } from './commands/broker.ts';
import { addCa } from './commands/ca.ts';
import { addDemo } from './commands/demo.ts';
import { addExport } from './commands/export.ts';
import { addImport } from './commands/import.ts';
import { addInit } from './commands/init.ts';
import { addLog } from './commands/log.ts';
import { addInstall } from './commands/install.ts';
import { addInspect } from './commands/inspect.ts';
import { addLease } from './commands/lease.ts';
import { addProvision } from './commands/provision.ts';
import { addRecover } from './commands/recover.ts';
import { addRegistry } from './commands/registry.ts';
import { addReport } from './commands/report.ts';
import { addSim } from './commands/sim.ts';
import { addTrust } from './commands/trust.ts';
import { addVoid } from './commands/void.ts';
import type { Session } from './session.ts';
import { makeUi } from './ui.ts';

/*
 * The program: the only file beside bin/unit.ts that reads `process`. Commands load what they need when they run,
 * so that --help is there at once.
 */

process.umask(0o077);

const exitCodes = `
Exit codes:
  0 all is well         4 no probe, or no such board    8 refused: set the board aside
  1 the unit failed     5 the board failed              9 no id left: ask for a lease
  2 not understood      6 stop the line                 10 in doubt: mark the board
  3 station not fit     7 tampered with: stop the line  130 interrupted`;

const session: Session = {
  get station() {
    return program.opts<{ station: string }>().station;
  },
  ui: makeUi(process.argv.includes('--json'), process.stdout, process.stderr),
  interrupted: interruption(),
  program: { node: process.execPath, entry: fileURLToPath(import.meta.url) },
  unitProgram: { node: process.execPath, entry: fileURLToPath(new URL('unit.js', import.meta.url)) },
  authorityProgram: {
    node: process.execPath,
    entry: fileURLToPath(new URL('authority.js', import.meta.url)),
  },
  exit: (code) => {
    process.exitCode = code;
  },
};

const program = new Command('lineside')
  .description('provision boards on a production line: one command, one identity, no key on disk')
  .version(version)
  .addOption(new Option('--station <dir>', 'the station to work on').env('LINESIDE_STATION').default('.'))
  .option('--json', 'JSON Lines on stdout, one record a line')
  .showHelpAfterError(false)
  .configureHelp({ showGlobalOptions: true })
  .addHelpText('after', exitCodes)
  .exitOverride()
  .configureOutput({ outputError: () => {} });

for (const add of [
  addInit,
  addProvision,
  addInspect,
  addRecover,
  addVoid,
  addTrust,
  addLease,
  addExport,
  addImport,
  addInstall,
  addRegistry,
  addLog,
  addReport,
  addCa,
  addBroker,
  addSim,
  addDemo,
]) {
  add(program, session);
}

try {
  await program.parseAsync();
} catch (thrown) {
  const error = thrown instanceof CommanderError ? usage(thrown) : asLinesideError(thrown);
  if (error) {
    session.ui.error(error);
    process.exitCode = error.exit;
  }
}

/** Commander's own errors, in our words and with our exit code; undefined for --help and --version. */
function usage(error: CommanderError): LinesideError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help')
    return new LinesideError('usage', { problem: 'name one of the commands above' });
  const problem = error.message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/(is invalid)\. /, '$1: ')
    .replace(/\. Expected (\d+) arguments? but got (\d+)/, ': it takes $1, not $2')
    .replace(/\(Did you/, '(did you')
    .replace(/\.$/, '');
  return new LinesideError('usage', { problem }, { cause: error });
}

/**
 * Aborted by the first Ctrl-C or SIGTERM, or when the terminal or the reader of the results is gone; boards in work
 * are then finished. A second Ctrl-C ends the program.
 */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted && name !== 'SIGHUP') process.exit(130);
      controller.abort();
    });
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => controller.abort());
  process.stdout.once('error', (cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EPIPE') return; // `| head` has seen enough
    session.ui.error(new LinesideError('output-lost', { reason: systemWords(cause) }, { cause }));
    process.on('exit', () => (process.exitCode = errorTable['output-lost'].exit));
  });
  process.on('SIGUSR1', () => {}); // Node would open its debugger, to anybody on this PC
  return controller.signal;
}
