import type { Command } from 'commander';
import type { Finding, Severity } from '../../src/audit/finding.ts';
import type { Checked, Progress } from '../../src/audit-station.ts';
import type { ExitCode } from '../../src/errors.ts';
import type { Session } from '../session.ts';

export function addRegistryAudit(registry: Command, session: Session): void {
  registry
    .command('audit')
    .description('hold all that is on record to all else that is, and look for private keys in every file')
    .action(() => audit(session));
}

async function audit(session: Session): Promise<void> {
  const { station, ui } = session;
  const { auditStation } = await import('../../src/audit-station.ts');
  const { checked, findings } = auditStation(station, new Date(), (step, done) =>
    ui.progress(auditProgress(step, done)),
  );
  const worth = new Findings();
  for await (const finding of findings) {
    ui.result({ type: 'finding', ...finding });
    worth.add(finding);
  }
  const { result, counts } = worth;
  ui.result(
    { type: 'audit', result, ...counts, checked },
    ...table(checked),
    ...worth.lines(),
    verdicts[result],
  );
  session.exit(exits[result]);
}

/** How far it is, in words. */
export function auditProgress(...[step, done]: Parameters<Progress>): string {
  return step === 'files' ? `files: ${Math.floor(done / 1e6)} MB` : `${step}: ${done}`;
}

type Result = 'clean' | 'doubt' | 'violation' | 'tampered';

const exits: Record<Result, ExitCode> = { clean: 0, doubt: 8, violation: 8, tampered: 7 };
const verdicts: Record<Result, string> = {
  clean: 'nothing is wrong',
  doubt: 'something cannot be told: see above',
  violation: 'rules are broken: see above',
  tampered: 'what is on record was changed by somebody: see above',
};
const words: Record<Severity, string> = {
  tamper: 'TAMPER',
  violation: 'VIOLATION',
  doubt: 'DOUBT',
  notice: 'notice',
};

/** More of one kind than a person reads are counted. */
const mostOfAKind = 20;

/** What was found, the worst first. */
class Findings {
  readonly counts: Record<Severity, number> = { tamper: 0, violation: 0, doubt: 0, notice: 0 };
  readonly #byCode = new Map<string, { readonly shown: Finding[]; count: number }>();

  add(finding: Finding): void {
    this.counts[finding.severity] += 1;
    const kind = this.#byCode.get(finding.code) ?? { shown: [], count: 0 };
    kind.count += 1;
    if (kind.shown.length < mostOfAKind) kind.shown.push(finding);
    this.#byCode.set(finding.code, kind);
  }

  get result(): Result {
    const { tamper, violation, doubt } = this.counts;
    if (tamper > 0) return 'tampered';
    if (violation > 0) return 'violation';
    return doubt > 0 ? 'doubt' : 'clean';
  }

  /** For people: what is wrong, what to do, a kind after the other. */
  *lines(): Generator<string> {
    const kinds = [...this.#byCode.values()];
    for (const severity of ['tamper', 'violation', 'doubt', 'notice'] as const)
      for (const { shown, count } of kinds.filter(({ shown }) => shown[0]?.severity === severity)) {
        for (const finding of shown) yield `${words[severity].padEnd(9)}  ${finding.words}`;
        if (count > shown.length) yield `${''.padEnd(9)}  and ${count - shown.length} more like these`;
        yield `${''.padEnd(9)}  -> ${shown[0]?.advice ?? ''}`;
      }
  }
}

function table(checked: Readonly<Checked>): string[] {
  const { entries, units, requests, certificates, leases, batches, files, bytes } = checked;
  const rows: readonly (readonly [number, string])[] = [
    [entries, 'log entries, each by the one before it, the tree and the last checkpoint'],
    [units, 'units, each by the log'],
    [requests, 'certificate requests, each signature verified anew'],
    [certificates, 'certificates, each verified anew against its request and its chain'],
    [leases, 'leases, every id of them accounted for'],
    [batches, 'batches, each by its manifest, the log and the one before it'],
    [
      files,
      `files of the station (${(bytes / 1e6).toFixed(0)} MB), every byte looked through for private keys`,
    ],
  ];
  return rows.map(([count, what]) => `${String(count).padStart(9)}  ${what}`);
}
