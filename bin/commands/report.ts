import { type Command, InvalidArgumentError } from 'commander';
import type { Period } from '../../src/report/report.ts';
import type { Session } from '../session.ts';
import { auditProgress } from './registry-audit.ts';

export function addReport(program: Command, session: Session): void {
  program
    .command('report')
    .description('tell QA, auditors and other systems what the log says of the units')
    .argument('<file>', 'new file: .html to read, .csv, .jsonl or .xml (JUnit) for other systems')
    .option('--from <day>', 'units begun on this day or later, UTC, for example 2026-11-25', parseDay)
    .option('--to <day>', 'units begun on this day or before', parseDay)
    .action((path: string, { from = null, to = null }: Partial<Period>) => run(path, { from, to }, session));
}

async function run(path: string, period: Period, session: Session): Promise<void> {
  const { makeReport } = await import('../../src/make-report.ts');
  const { newReportFile } = await import('../../src/report-file.ts');
  const { station, ui } = session;
  const file = await newReportFile(path);
  const made = await makeReport(station, file, period, new Date(), (step, done) =>
    ui.progress(auditProgress(step, done)),
  );
  ui.result({ type: 'report', path, ...made }, `${path}: ${made.units} units, SHA-256 ${made.sha256}`);
  if (made.tampering === 0) return;
  ui.say(`findings in it that show tampering: ${made.tampering}`);
  session.exit(7);
}

/** A day of the calendar, as ISO 8601 writes it. */
function parseDay(text: string): string {
  const day = new Date(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime());
  if (isDay && day.toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError('a day is YYYY-MM-DD');
}
