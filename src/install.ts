import type { StationFile } from './config.ts';
import type { Board, DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { parsePem } from './pem.ts';
import { spkiSha256 } from './public-key.ts';
import type { Credentials } from './registry/batch.ts';
import type { UnitRecord } from './registry/registry.ts';
import type { Station } from './station-directory.ts';
import type { Probe } from './swd/probe.ts';
import type { BoardCredentials } from './unit/messages.ts';
import { UnitProcess, type UnitProgram } from './unit/unit-process.ts';

export interface Installed {
  readonly id: DeviceId;
  readonly uid: string;
  readonly generation: number;
}

/** What is done with the debug port as the last step. */
export type DebugPort = 'lock' | 'leave-open';

/**
 * The second pass on a board: its certificate, and whom it may believe. The board says which device it is and the
 * registry whether that is so; then the credentials page is written and nothing else. If power fails at any
 * moment, the same again makes it whole: the identity is never at stake.
 * @throws LinesideError `install-locked`, `board-blank`, `board-not-of-record`, `not-certified`, and those of writing
 */
export async function installCredentials(
  program: UnitProgram,
  { file, registry }: Station,
  probe: Probe,
  debugPort: DebugPort,
): Promise<Installed> {
  const unit = UnitProcess.start(program);
  try {
    const board = await examine(unit, file, probe);
    const { id } = identityOf(board, probe);
    const known = (await registry.find(id)) ?? notOfRecord(probe, id, 'id');
    mustBeSame(board, known, probe);
    const credentials = await registry.credentials(id);
    if (credentials === undefined) throw new LinesideError('not-certified', { id, state: known.state });
    await unit.writeCredentials(forBoard(credentials, file));
    const locked = debugPort === 'lock';
    await (locked ? unit.lock() : unit.start());
    const { generation } = credentials;
    await registry.advance(id, { to: 'installed', generation, locked });
    return { id, uid: board.uid, generation };
  } finally {
    await unit.end();
  }
}

async function examine(unit: UnitProcess, { chip }: StationFile, probe: Probe): Promise<Board> {
  try {
    return await unit.examine(chip.name, probe);
  } catch (cause) {
    const locked = cause instanceof LinesideError && cause.code === 'target-locked';
    throw locked ? new LinesideError('install-locked', { probe: probe.name }, { cause }) : cause;
  }
}

function identityOf({ page }: Board, { name: probe }: Probe) {
  if (page.kind === 'identity') return page;
  throw new LinesideError(page.kind === 'damaged' ? 'board-has-data' : 'board-blank', { probe });
}

/** A page can be copied from chip to chip, and an id be written by anybody: key and chip must be those on record. */
function mustBeSame(board: Board, known: UnitRecord, probe: Probe): void {
  const { id, publicKey } = identityOf(board, probe);
  if (spkiSha256(Buffer.from(publicKey, 'hex')) !== known.spkiSha256) notOfRecord(probe, id, 'key');
  if (board.uid !== known.uid) notOfRecord(probe, id, 'chip');
}

function notOfRecord({ name: probe }: Probe, id: DeviceId, what: 'id' | 'key' | 'chip'): never {
  throw new LinesideError('board-not-of-record', { probe, id, what });
}

/**
 * What the board is told. The root stays out of what it sends, as its peers have it (RFC 8446 4.4.2); it is the
 * anchor for brokers if the CA named no other.
 */
function forBoard({ generation, certificate, files }: Credentials, file: StationFile): BoardCredentials {
  const chain = base64(files.get('chain.pem'));
  const anchors = base64(files.get('anchors.pem'));
  return {
    generation,
    certificate: Buffer.from(certificate).toString('base64'),
    intermediates: chain.slice(0, -1),
    trustAnchors: anchors.length > 0 ? anchors : chain.slice(-1),
    brokerNames: [...file.brokerNames],
    firmwareKey: file.firmwareKey,
  };
}

/** Was checked when it was imported. */
function base64(pem: Uint8Array | undefined): string[] {
  const ders = parsePem('CERTIFICATE', Buffer.from(pem ?? []).toString('latin1')) ?? [];
  return ders.map((der) => Buffer.from(der).toString('base64'));
}
