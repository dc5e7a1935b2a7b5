import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { LinesideError, systemCode, systemWords } from './errors.ts';
import type { Chip } from './swd/chip.ts';
import { chipNamed } from './swd/chips.ts';
import { formatProbe, type Probe, parseProbe } from './swd/probe.ts';

/** What a station is: read from `station.json`, written once by `init`. */
export interface StationFile {
  readonly name: string;
  readonly chip: Chip;
  readonly probes: readonly Probe[];
  /** Names that a broker's certificate may carry, for the credentials page. */
  readonly brokerNames: readonly string[];
  /** The key that devices verify firmware with, 04‖X‖Y in lower-case hex. */
  readonly firmwareKey: string | null;
}

const schema = v.strictObject({
  schema: v.literal(1),
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'a name is lower-case letters, digits and "-", at most 32'),
  ),
  chip: v.string(),
  probes: v.pipe(v.array(v.string()), v.maxLength(64)),
  brokerNames: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^[!-~]{1,253}$/, 'a broker name is printable ASCII'))),
      v.maxLength(8),
    ),
    [],
  ),
  firmwareKey: v.optional(
    v.nullable(
      v.pipe(v.string(), v.regex(/^04[0-9a-f]{128}$/, 'a firmware key is 04 and 128 lower-case hex digits')),
    ),
    null,
  ),
});

/** @throws LinesideError `usage`, `unknown-chip`, `bad-probe` */
export function parseStation(name: string, chip: string, probes: readonly string[]): StationFile {
  const parsed = v.safeParse(schema, { schema: 1, name, chip, probes });
  if (!parsed.success) throw new LinesideError('usage', { problem: inWords(parsed.issues) });
  return resolved(parsed.output);
}

/** @throws LinesideError `station-missing`, `station-invalid` */
export async function readStationFile(path: string): Promise<StationFile> {
  try {
    return resolved(v.parse(schema, JSON.parse(await readFile(path, 'utf8'))));
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new LinesideError('station-missing', { path: dirname(path) }, { cause });
    const reason = v.isValiError(cause) ? inWords(cause.issues) : systemWords(cause);
    throw new LinesideError('station-invalid', { path, reason }, { cause });
  }
}

/** The probes of these names, or all of them. @throws LinesideError `unknown-probe`, `no-probes` */
export function chooseProbes(station: StationFile, names: readonly string[]): readonly Probe[] {
  const known = station.probes.map((probe) => probe.name).join(', ');
  if (station.probes.length === 0) throw new LinesideError('no-probes');
  if (names.length === 0) return station.probes;
  return [...new Set(names)].map((name) => {
    const probe = station.probes.find((candidate) => candidate.name === name);
    if (!probe) throw new LinesideError('unknown-probe', { probe: name, known });
    return probe;
  });
}

/** The probe of this name, or the only one. @throws LinesideError `unknown-probe`, `no-probes`, `usage` */
export function chooseOneProbe(station: StationFile, name: string | undefined): Probe {
  const [probe, ...others] = chooseProbes(station, name === undefined ? [] : [name]);
  if (probe && others.length === 0) return probe;
  throw new LinesideError('usage', { problem: 'the station has several probes: name one with --probe' });
}

/** The text of a station file. */
export function formatStationFile(station: StationFile): string {
  const { name, chip, probes, brokerNames, firmwareKey } = station;
  const file = {
    schema: 1,
    name,
    chip: chip.name,
    probes: probes.map(formatProbe),
    brokerNames,
    firmwareKey,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function resolved({
  name,
  chip,
  probes,
  brokerNames,
  firmwareKey,
}: v.InferOutput<typeof schema>): StationFile {
  const parsed = probes.map(parseProbe);
  parsed.forEach((probe, at) => parsed.slice(0, at).forEach((earlier) => refuseTwins(earlier, probe)));
  return { name, chip: chipNamed(chip), probes: parsed, brokerNames, firmwareKey };
}

/** Two lanes on one probe would work on one board at the same time. */
function refuseTwins(one: Probe, other: Probe): void {
  if (one.name === other.name)
    throw new LinesideError('usage', { problem: `two probes are called ${one.name}` });
  if (one.interface === other.interface && one.serial === other.serial)
    throw new LinesideError('usage', { problem: `${one.name} and ${other.name} are the same probe` });
}

/** What is wrong and where, on one line. */
function inWords(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map((issue) => [v.getDotPath(issue), fault(issue)].filter(Boolean).join(': ')).join('; ');
}

function fault({ expected, received, message }: v.BaseIssue<unknown>): string {
  if (expected === 'never') return 'unknown field';
  return received === 'undefined' ? 'missing' : message.charAt(0).toLowerCase() + message.slice(1);
}
