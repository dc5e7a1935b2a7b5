import type { StationFile } from '../config.ts';
import { NoteError, readVerifier, type Verifier } from '../note.ts';
import type { Evidence } from '../registry/sqlite/evidence.ts';
import { signerSha256 } from '../station-key.ts';
import { type Finding, found, station } from './finding.ts';
import type { LogFacts } from './log-facts.ts';

/** Every CA that was trusted, the last one last, so far as it can be read. */
export async function authoritiesOf(evidence: Evidence): Promise<Verifier[]> {
  return (await evidence.authorities()).flatMap(({ verifier }) => readable(verifier) ?? []);
}

/** Whom the station trusts, by the log: a CA that was put in by hand would issue for its devices. */
export async function* auditAuthorities(evidence: Evidence, { trusts }: LogFacts): AsyncGenerator<Finding> {
  const rows = await evidence.authorities();
  for (let place = 0; place < Math.max(rows.length, trusts.length); place += 1) {
    const [row, trust] = [rows[place], trusts[place]];
    const verifier = row && readable(row.verifier);
    const same =
      verifier !== undefined && signerSha256(verifier) === trust?.signer && row?.trustedAt === trust.at;
    if (same) continue;
    const facts = { place: place + 1, found: row?.verifier ?? 'missing', told: trust?.signer ?? 'unknown' };
    yield found('authority-differs', station, facts);
  }
}

/** The key that signs for the station, and what its file says the station is, by the log. */
export function* auditStationFiles(
  { chip }: StationFile,
  keys: { readonly private: Verifier | undefined; readonly public: string | undefined },
  log: LogFacts,
): Generator<Finding> {
  const differs = (path: string) => found('station-key-differs', { kind: 'file', path }, { path });
  if (keys.private && signerSha256(keys.private) !== log.stationKey) yield differs('station.key');
  if (keys.public !== undefined && isOther(keys.public, log.stationKey)) yield differs('station.vkey');
  if (log.chip !== undefined && log.chip !== chip.name)
    yield found(
      'station-file-differs',
      { kind: 'file', path: 'station.json' },
      { field: 'chip', found: chip.name, told: log.chip },
    );
}

function isOther(file: string, signer: string | undefined): boolean {
  const verifier = readable(file.replace(/\n$/, ''));
  return verifier === undefined || signerSha256(verifier) !== signer;
}

function readable(line: string): Verifier | undefined {
  try {
    return readVerifier(line);
  } catch (error) {
    if (error instanceof NoteError) return undefined;
    throw error;
  }
}
