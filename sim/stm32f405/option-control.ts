import { type Level, levelOf, type OptionBytes, OPTIONS } from './option-bytes.ts';
import { KeyLock } from './key-lock.ts';

const OPTKEY1 = 0x08192a3b;
const OPTKEY2 = 0x4c5d6e7f;
const OPTLOCK = 1 << 0;
const OPTSTRT = 1 << 1;

/** FLASH_OPTKEYR and FLASH_OPTCR (RM0090 3.7.2, 3.9.4, 3.9.9). */
export class OptionControl {
  readonly #lock = new KeyLock(OPTKEY1, OPTKEY2);
  readonly #bytes: OptionBytes;
  #options: number;

  constructor(bytes: OptionBytes) {
    this.#bytes = bytes;
    this.#options = bytes.value;
  }

  /** The register is loaded from the option bytes, and locked. */
  reset(): void {
    this.#lock.reset();
    this.#options = this.#bytes.value;
  }

  writeKey(key: number): void {
    this.#lock.offer(key);
  }

  read(): number {
    return this.#options | (this.#lock.locked ? OPTLOCK : 0);
  }

  /**
   * With OPTSTRT the option bytes become what the register says. Level 2 takes no more options.
   * @returns the levels before and after, if they were programmed
   */
  write(value: number): { from: Level; to: Level } | undefined {
    if (this.#lock.locked) return undefined;
    this.#options = value & OPTIONS;
    if (value & OPTLOCK) this.#lock.close();
    if ((value & OPTSTRT) === 0 || this.#bytes.level === 2) return undefined;
    this.#bytes.program(this.#options);
    return { from: this.#bytes.level, to: levelOf(this.#options) };
  }
}
