import { LinesideError } from '../errors.ts';
import type { Chip } from './chip.ts';
import { nrf52840 } from './chips/nrf52840.ts';
import { stm32f405 } from './chips/stm32f405.ts';

const chips: readonly Chip[] = [nrf52840, stm32f405];

/** @throws LinesideError `unknown-chip` */
export function chipNamed(name: string): Chip {
  const chip = chips.find((candidate) => candidate.name === name);
  if (!chip)
    throw new LinesideError('unknown-chip', { chip: name, known: chips.map((c) => c.name).join(', ') });
  return chip;
}
