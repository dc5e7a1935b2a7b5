import { describe } from 'vitest';
import { chipContract } from '../contract/chip.ts';

describe('nrf52840', () => {
  chipContract('nrf52840', {
    other: { chip: 'stm32f405', error: 'wrong-control-port' },
    notThisChip: {
      'wrong-dpidr': 'wrong-debug-port',
      'no-ctrl-ap': 'wrong-control-port',
      'other-core': 'wrong-core',
      'wrong-chip': 'wrong-chip',
      'small-flash': 'wrong-chip',
    },
  });
});
