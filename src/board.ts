import type { DeviceId } from './device.ts';
import { LinesideError } from './errors.ts';
import { spkiSha256 } from './public-key.ts';
import type { Registry } from './registry/registry.ts';
import type { Chip } from './swd/chip.ts';
import type { Probe } from './swd/probe.ts';
import { UnitProcess, type UnitProgram } from './unit/unit-process.ts';

/** What anybody may read of a device. */
export interface PublicIdentity {
  readonly uid: string;
  readonly id: DeviceId;
  /** Uncompressed point, 130 lower-case hex digits. */
  readonly publicKey: string;
  readonly spkiSha256: string;
}

/** @throws LinesideError `board-blank`, `board-has-data`, and those of connecting */
export async function inspectBoard(program: UnitProgram, chip: Chip, probe: Probe): Promise<PublicIdentity> {
  const { uid, page } = await withUnit(program, (unit) => unit.examine(chip.name, probe));
  switch (page.kind) {
    case 'blank':
    case 'interrupted':
      throw new LinesideError('board-blank', { probe: probe.name });
    case 'damaged':
      throw new LinesideError('board-has-data', { probe: probe.name });
    case 'identity':
      return {
        uid,
        id: page.id,
        publicKey: page.publicKey,
        spkiSha256: spkiSha256(Buffer.from(page.publicKey, 'hex')),
      };
  }
}

/**
 * Erases a board whole, and voids the unit the registry has for its chip: before the erase if the chip can be read,
 * after it if its port is locked. What is about to happen is on record first.
 * @throws LinesideError `recover-failed`, `illegal-transition` if the device can no longer be void
 */
export async function recoverBoard(
  program: UnitProgram,
  registry: Registry,
  chip: Chip,
  probe: Probe,
): Promise<{ uid: string; voided: DeviceId | null }> {
  await registry.record({ ev: 'board.recover', probe: probe.name });
  const before = await readableUid(program, chip, probe);
  const voidedBefore = before === null ? null : await voidUnitOf(registry, before);
  const { uid, page } = await withUnit(program, (unit) => unit.recover(chip.name, probe));
  if (page.kind !== 'blank') throw new LinesideError('recover-failed');
  const voided = voidedBefore ?? (await voidUnitOf(registry, uid));
  await registry.record({ ev: 'board.recovered', probe: probe.name, uid });
  return { uid, voided };
}

/** Null if the debug port is locked. */
async function readableUid(program: UnitProgram, chip: Chip, probe: Probe): Promise<string | null> {
  try {
    return (await withUnit(program, (unit) => unit.examine(chip.name, probe))).uid;
  } catch (error) {
    if (error instanceof LinesideError && error.code === 'target-locked') return null;
    throw error;
  }
}

async function voidUnitOf(registry: Registry, uid: string): Promise<DeviceId | null> {
  const unit = await registry.findByUid(uid);
  if (unit) await registry.advance(unit.id, { to: 'void', reason: 'erased by recover' });
  return unit?.id ?? null;
}

async function withUnit<T>(program: UnitProgram, act: (unit: UnitProcess) => Promise<T>): Promise<T> {
  const unit = UnitProcess.start(program);
  try {
    return await act(unit);
  } finally {
    await unit.end();
  }
}
