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
 * Erases a board whole. If the registry knows its chip as a live unit, that unit is void now: its key is gone.
 * @throws LinesideError `recover-failed`, `illegal-transition` if the device already has a certificate
 */
export async function recoverBoard(
  program: UnitProgram,
  registry: Registry,
  chip: Chip,
  probe: Probe,
): Promise<{ uid: string; voided: DeviceId | null }> {
  const { uid } = await withUnit(program, (unit) => unit.recover(chip.name, probe));
  const unit = await registry.findByUid(uid);
  if (unit) await registry.advance(unit.id, { to: 'void', reason: 'erased by recover' });
  return { uid, voided: unit?.id ?? null };
}

async function withUnit<T>(program: UnitProgram, act: (unit: UnitProcess) => Promise<T>): Promise<T> {
  const unit = UnitProcess.start(program);
  try {
    return await act(unit);
  } finally {
    await unit.end();
  }
}
