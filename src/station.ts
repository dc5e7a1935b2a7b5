import { verifyCsr } from './csr/verify.ts';
import { type Board, type DeviceId, inDoubtStates, type UnitState } from './device.ts';
import { asLinesideError, LinesideError } from './errors.ts';
import { spkiSha256 } from './public-key.ts';
import type { DebugPort } from './install.ts';
import type { Registry } from './registry/registry.ts';
import type { Chip } from './swd/chip.ts';
import type { Probe } from './swd/probe.ts';
import type { UnitProcess } from './unit/unit-process.ts';

/** What is asked for: the same for every board of a run. */
export interface Order {
  readonly chip: Chip;
  readonly firmware: FirmwareImage | null;
  readonly debugPort: DebugPort;
  /** The id to use, or the next one of the lease. */
  readonly id: DeviceId | 'next';
}

/** A firmware held open by the station, so that what is programmed is what was checked. */
interface FirmwareImage {
  readonly path: string;
  readonly sha256: string;
}

/** How one unit ended. */
export interface UnitResult {
  readonly result: 'pass' | 'fail' | 'in-doubt';
  /** Null when the unit failed before an id was spent on it. */
  readonly id: DeviceId | null;
  readonly state: UnitState | null;
  readonly probe: string;
  /** The chip, if it could be read. */
  readonly uid: string | null;
  readonly spkiSha256: string | null;
  readonly error: LinesideError | null;
}

/** What became known of the unit so far. */
interface Progress {
  id: DeviceId | null;
  uid: string | null;
  spkiSha256: string | null;
}

/** The steps an operator sees, in order. */
export type Stage =
  | 'connecting'
  | 'making the key'
  | 'programming'
  | 'writing the identity'
  | 'locking'
  | 'starting'
  | 'certifying'
  | 'installing the certificate';
export type Tell = (stage: Stage, id: DeviceId | null) => void;

/**
 * The life of one unit, from an unknown board to PASS. Every intent is committed before its act and every outcome
 * after it, so whatever moment the power fails at, the registry knows at least as much as the board: no key byte
 * leaves the PC before its CSR is on record.
 */
export async function provisionBoard(
  registry: Registry,
  order: Order,
  probe: Probe,
  unit: UnitProcess,
  tell: Tell,
): Promise<UnitResult> {
  const known: Progress = { id: null, uid: null, spkiSha256: null };
  try {
    tell('connecting', null);
    const board = await unit.examine(order.chip.name, probe);
    known.uid = board.uid;
    await refuseUsedBoard(registry, board, probe);
    const id = await reserve(registry, order.id);
    known.id = id;

    tell('making the key', id);
    const csr = await unit.makeKey(id);
    const verified = verifyOwnCsr(csr, id);
    known.spkiSha256 = verified.spkiSha256;
    await registry.advance(id, { to: 'keyed', csr, spkiSha256: verified.spkiSha256 });

    tell('programming', id);
    const firmwareSha256 = order.firmware?.sha256 ?? null;
    await registry.advance(id, { to: 'flashing', uid: board.uid, probe: probe.name, firmwareSha256 });
    await unit.program(order.firmware?.path ?? null);
    tell('writing the identity', id);
    await unit.writeIdentity();
    await registry.advance(id, { to: 'flashed' });

    await closeOrStart(order, unit, id, tell);
    await registry.advance(id, { to: 'verified', proof: 'read-back', locked: order.debugPort === 'lock' });
    return { ...known, result: 'pass', state: 'verified', probe: probe.name, error: null };
  } catch (thrown) {
    return await settle(registry, known, probe, asLinesideError(thrown));
  } finally {
    await unit.end();
  }
}

/** A board that carries a live device is never overwritten; one that carries a void unit's remains is. */
async function refuseUsedBoard(registry: Registry, { uid, page }: Board, probe: Probe): Promise<void> {
  if (page.kind === 'damaged') throw new LinesideError('board-has-data', { probe: probe.name });
  if (page.kind === 'identity') {
    const unit = await registry.find(page.id);
    const ours = unit?.spkiSha256 === spkiSha256(Buffer.from(page.publicKey, 'hex'));
    const given = { probe: probe.name, id: page.id };
    if (unit?.state !== 'void' || !ours) throw new LinesideError('board-has-identity', given);
  }
  const known = await registry.findByUid(uid);
  if (known) throw new LinesideError('board-in-use', { uid, id: known.id });
}

async function reserve(registry: Registry, id: DeviceId | 'next'): Promise<DeviceId> {
  if (id === 'next') return registry.reserveNext();
  await registry.reserve(id);
  return id;
}

/** The station trusts no process with a key: the request must prove possession and name this id. */
function verifyOwnCsr(csr: Uint8Array, id: DeviceId): { spkiSha256: string } {
  try {
    const verified = verifyCsr(csr);
    if (verified.id === id) return verified;
    throw new LinesideError('csr-refused', { rule: `it names ${verified.id}` });
  } catch (cause) {
    const rule = asLinesideError(cause).facts['rule'] ?? 'it cannot be read';
    throw new LinesideError('own-request-refused', { id, rule }, { cause });
  }
}

async function closeOrStart(
  { debugPort }: Order,
  unit: UnitProcess,
  id: DeviceId,
  tell: Tell,
): Promise<void> {
  tell(debugPort === 'lock' ? 'locking' : 'starting', id);
  if (debugPort === 'lock') await unit.lock();
  else await unit.start();
}

/**
 * Ends a unit that went wrong. Void, if what happened is known; in doubt, if the process that held the key is gone
 * without a word while the board may have been written, or if the registry cannot say so.
 */
async function settle(
  registry: Registry,
  known: Progress,
  { name: probe }: Probe,
  error: LinesideError,
): Promise<UnitResult> {
  const { id } = known;
  const lost = error.code === 'unit-lost';
  const untouched = lost ? new LinesideError('unit-died') : error;
  if (id === null) return { ...known, result: 'fail', state: null, probe, error: untouched };
  try {
    const state = (await registry.find(id))?.state ?? null;
    const written = state === 'flashing' || state === 'flashed';
    if (lost && written) return { ...known, result: 'in-doubt', state, probe, error };
    await registry.advance(id, { to: 'void', reason: untouched.code });
    return { ...known, result: 'fail', state: 'void', probe, error: untouched };
  } catch (thrown) {
    // The registry is what failed: the line stops, and the next start finds this unit as it stands there.
    return { ...known, result: 'in-doubt', state: null, probe, error: asLinesideError(thrown) };
  }
}

/**
 * Settles what an earlier run left behind when it was cut off, before any new unit. Without `flashing` no key byte
 * left the PC, so those units are void; the rest stay in doubt until their board is asked.
 * @returns the units in doubt
 */
export async function settleInterrupted(registry: Registry): Promise<DeviceId[]> {
  const inDoubt: DeviceId[] = [];
  for await (const { id, state } of registry.units({ states: inDoubtStates })) {
    if (state === 'flashing' || state === 'flashed') inDoubt.push(id);
    else await registry.advance(id, { to: 'void', reason: 'interrupted' });
  }
  return inDoubt;
}
