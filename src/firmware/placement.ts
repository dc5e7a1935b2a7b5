import { LinesideError } from '../errors.ts';
import { endOf, hexAddress, type Segment } from './segments.ts';

/** Where firmware may lie in a chip. Byte addresses; each end is the first address after its range. */
export interface FlashMap {
  readonly chip: string;
  readonly start: number;
  readonly end: number;
  readonly factoryDataStart: number;
  readonly factoryDataEnd: number;
}

/**
 * Holds sorted segments inside the flash and off the factory pages, and names the first address that is not.
 * @throws LinesideError `firmware-outside-flash`, `firmware-overlaps-factory-data`
 */
export function checkPlacement(path: string, segments: readonly Segment[], flash: FlashMap): void {
  const { chip, start, end, factoryDataStart, factoryDataEnd } = flash;
  const outside = firstIn(segments, 0, start) ?? firstIn(segments, end, Number.POSITIVE_INFINITY);
  if (outside !== undefined)
    throw new LinesideError('firmware-outside-flash', { path, address: hexAddress(outside), chip });
  const overlap = firstIn(segments, factoryDataStart, factoryDataEnd);
  if (overlap === undefined) return;
  const limit = hexAddress(factoryDataStart);
  throw new LinesideError('firmware-overlaps-factory-data', {
    path,
    address: hexAddress(overlap),
    chip,
    limit,
  });
}

function firstIn(segments: readonly Segment[], from: number, to: number): number | undefined {
  const hit = segments.find((segment) => segment.address < to && endOf(segment) > from);
  return hit && Math.max(hit.address, from);
}
