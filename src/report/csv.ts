import { printable } from '../printable.ts';
import type { Report } from './report.ts';
import type { Unit } from './unit.ts';

/*
 * One line for each unit: RFC 4180, every text quoted. A spreadsheet takes text that begins with one of `=+-@`, or
 * their full-width forms, for a formula, and some split lines at `;` (CWE-1236, OWASP "CSV Injection"): there an
 * apostrophe is put before it. A tab or a return, which begin one too, is spelled out. Who needs the text as it was reads the
 * JSON Lines.
 */

type Cell = string | number | boolean | null;

const columns: Readonly<Record<string, (unit: Unit, serial: string | null) => Cell>> = {
  id: ({ id }) => id,
  outcome: ({ outcome }) => outcome,
  state: ({ state }) => state,
  probe: ({ probe }) => probe,
  uid: ({ uid }) => uid,
  firmware_sha256: ({ firmware }) => firmware,
  csr_sha256: ({ csr }) => csr,
  spki_sha256: ({ spki }) => spki,
  proof: ({ proof }) => proof,
  locked: ({ locked }) => locked,
  batch: ({ batch }) => batch,
  certificate_sha256: ({ certificate }) => certificate,
  certificate_serial: (_, serial) => serial,
  certificate_generation: ({ generation }) => generation,
  installed_generation: ({ installed }) => installed,
  reason: ({ reason }) => reason,
  reserved_at: ({ reservedAt }) => reservedAt,
  settled_at: ({ settledAt }) => settledAt,
  seconds: ({ seconds }) => seconds,
  changed_at: ({ changedAt }) => changedAt,
};

export async function* csv({ units, serials }: Report): AsyncGenerator<string> {
  yield line(Object.keys(columns));
  const known = await serials();
  for (const unit of units) {
    const serial = known.get(unit.certificate ?? '') ?? null;
    yield line(Object.values(columns).map((cell) => cell(unit, serial)));
  }
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(field).join(',')}\r\n`;
}

function field(cell: Cell): string {
  if (cell === null) return '';
  return typeof cell === 'string' ? `"${withoutFormula(printable(cell)).replaceAll('"', '""')}"` : `${cell}`;
}

function withoutFormula(text: string): string {
  return text.replace(/(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/g, "$1'");
}
