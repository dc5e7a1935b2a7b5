import type { Faults } from '../faults.ts';

/** RM0090 3.3: four sectors of 16 KiB, one of 64, seven of 128. */
const KIB = [16, 16, 16, 16, 64, 128, 128, 128, 128, 128, 128, 128];

export interface Sector {
  readonly number: number;
  /** First byte and first byte after it, counted from the start of the flash. */
  readonly start: number;
  readonly end: number;
}

const SECTORS: readonly Sector[] = KIB.map((kib, number) => {
  const start = 1024 * KIB.slice(0, number).reduce((sum, each) => sum + each, 0);
  return { number, start, end: start + 1024 * kib };
});

export const FLASH_SIZE = 0x100000;

/** The STM32F405RE has the first eight sectors and nothing behind them. */
export function flashOnBoard(faults: Faults): number {
  return faults.has('small-flash') ? FLASH_SIZE / 2 : FLASH_SIZE;
}

/** The sectors of this chip, by the number that FLASH_CR.SNB gives them. */
export function sectorsOnBoard(faults: Faults): readonly Sector[] {
  return SECTORS.filter(({ end }) => end <= flashOnBoard(faults));
}
